//! A proxy between weir and its broker that knows what a request is, and can lose, delay or cut one.
//!
//! A request of the Kafka protocol is a length, then the number of its API; a reply carries the correlation number of its request. That is all
//! that is looked at. TCP loses nothing by itself: a lost request or reply is a connection that broke before it arrived.

use std::collections::HashMap;
use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

/// Numbers of requests in the protocol.
pub(super) const FETCH: i16 = 1;
pub(super) const PRODUCE: i16 = 0;
pub(super) const OFFSET_FETCH: i16 = 9;
pub(super) const JOIN_GROUP: i16 = 11;
pub(super) const HEARTBEAT: i16 = 12;
pub(super) const SYNC_GROUP: i16 = 14;
pub(super) const INIT_PRODUCER_ID: i16 = 22;
pub(super) const ADD_PARTITIONS_TO_TXN: i16 = 24;
pub(super) const ADD_OFFSETS_TO_TXN: i16 = 25;
pub(super) const END_TXN: i16 = 26;
pub(super) const TXN_OFFSET_COMMIT: i16 = 28;

/// What happens to the next request of a kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Trick {
    /// The connection breaks before the broker has it.
    LoseRequest,
    /// The broker does it; the connection breaks before the reply is back.
    LoseReply,
    /// Held back on its way in, with everything behind it.
    DelayRequest(Duration),
    /// Held back on its way out.
    DelayReply(Duration),
    /// The connection breaks, and the broker gets the request all the same, so much later.
    DeliverLate(Duration),
}

#[derive(Default)]
struct Shared {
    /// Tricks that wait for a request of their kind.
    armed: Mutex<Vec<(i16, Trick)>>,
    played: AtomicU32,
}

/// A running proxy; it ends with the process.
pub(super) struct Proxy {
    pub(super) port: u16,
    shared: Arc<Shared>,
    upstream: Arc<Mutex<String>>,
}

impl Proxy {
    /// Listens; connections are refused until [`Proxy::lead_to`] says where they go.
    pub(super) fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let port = listener.local_addr().expect("an address").port();
        let shared = Arc::new(Shared::default());
        let upstream = Arc::new(Mutex::new(String::new()));
        let (shared_too, upstream_too) = (Arc::clone(&shared), Arc::clone(&upstream));
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let address = upstream_too.lock().expect("no panic").clone();
                let shared = Arc::clone(&shared_too);
                let Ok(server) = TcpStream::connect(&address) else { continue };
                thread::spawn(move || pass(client, server, &shared));
            }
        });
        Self { port, shared, upstream }
    }

    pub(super) fn lead_to(&self, address: &str) {
        address.clone_into(&mut self.upstream.lock().expect("no panic"));
    }

    /// Plays a trick on the next request of a kind.
    pub(super) fn arm(&self, api: i16, trick: Trick) {
        self.shared.armed.lock().expect("no panic").push((api, trick));
    }

    /// Forgets what was armed and has not been played.
    pub(super) fn disarm(&self) {
        self.shared.armed.lock().expect("no panic").clear();
    }

    /// How many tricks have been played.
    pub(super) fn played(&self) -> u32 {
        self.shared.played.load(Ordering::SeqCst)
    }
}

impl Shared {
    fn trick(&self, api: i16) -> Option<Trick> {
        let mut armed = self.armed.lock().expect("no panic");
        let at = armed.iter().position(|(wanted, _)| *wanted == api)?;
        self.played.fetch_add(1, Ordering::SeqCst);
        Some(armed.remove(at).1)
    }
}

/// What is to be done with a reply that is awaited.
type Awaited = Arc<Mutex<HashMap<i32, Trick>>>;

/// Passes a connection on, both ways, until either side ends it.
fn pass(client: TcpStream, server: TcpStream, shared: &Shared) {
    let (_, _) = (client.set_nodelay(true), server.set_nodelay(true));
    let (Ok(from_server), Ok(to_client)) = (server.try_clone(), client.try_clone()) else { return };
    let awaited = Awaited::default();
    // Whether a request is still to be delivered though its client is gone.
    let is_late = Arc::new(AtomicBool::new(false));
    let (awaited_too, is_late_too) = (Arc::clone(&awaited), Arc::clone(&is_late));
    thread::spawn(move || {
        let _ = replies(&from_server, &to_client, &awaited_too);
        let _ = to_client.shutdown(Shutdown::Both);
        if !is_late_too.load(Ordering::SeqCst) {
            let _ = from_server.shutdown(Shutdown::Both);
        }
    });
    let _ = requests(&client, &server, shared, &awaited, &is_late);
    let _ = client.shutdown(Shutdown::Both);
    if !is_late.load(Ordering::SeqCst) {
        let _ = server.shutdown(Shutdown::Both);
    }
}

fn frame(mut from: &TcpStream) -> io::Result<Vec<u8>> {
    let mut length = [0; 4];
    from.read_exact(&mut length)?;
    let size = usize::try_from(i32::from_be_bytes(length)).map_err(|_| io::ErrorKind::InvalidData)?;
    let mut frame = length.to_vec();
    frame.resize(4 + size, 0);
    from.read_exact(&mut frame[4..])?;
    Ok(frame)
}

fn requests(client: &TcpStream, mut server: &TcpStream, shared: &Shared, awaited: &Awaited, is_late: &AtomicBool) -> io::Result<()> {
    loop {
        let request = frame(client)?;
        let (Some(api), Some(number)) = (request.get(4..6), request.get(8..12)) else { return Ok(()) };
        let api = i16::from_be_bytes([api[0], api[1]]);
        let number = i32::from_be_bytes([number[0], number[1], number[2], number[3]]);
        match shared.trick(api) {
            None => {}
            Some(Trick::LoseRequest) => return Ok(()),
            Some(Trick::DelayRequest(time)) => thread::sleep(time),
            Some(trick @ (Trick::LoseReply | Trick::DelayReply(_))) => {
                awaited.lock().expect("no panic").insert(number, trick);
            }
            Some(Trick::DeliverLate(time)) => {
                is_late.store(true, Ordering::SeqCst);
                let late = server.try_clone()?;
                thread::spawn(move || {
                    thread::sleep(time);
                    let _ = (&late).write_all(&request);
                    // Time to be read; what comes back nobody hears.
                    thread::sleep(Duration::from_secs(1));
                    let _ = late.shutdown(Shutdown::Both);
                });
                return Ok(());
            }
        }
        server.write_all(&request)?;
    }
}

fn replies(server: &TcpStream, mut client: &TcpStream, awaited: &Awaited) -> io::Result<()> {
    loop {
        let reply = frame(server)?;
        let number = reply.get(4..8).map_or(-1, |n| i32::from_be_bytes([n[0], n[1], n[2], n[3]]));
        let trick = awaited.lock().expect("no panic").remove(&number);
        match trick {
            Some(Trick::LoseReply) => return Ok(()),
            Some(Trick::DelayReply(time)) => thread::sleep(time),
            _ => {}
        }
        client.write_all(&reply)?;
    }
}
