//! A proxy between weir and its broker that knows what a request is, and can lose, delay or cut one.
//!
//! A request of the Kafka protocol is a length, then the number of its API; a reply carries the correlation number of its request. That is all
//! that is looked at. TCP loses nothing by itself: a lost request or reply is a connection that broke before it arrived.

use std::collections::HashMap;
use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicU32, Ordering};
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
    /// The same, when the next transaction of that name has its outputs and adds its offsets, which wait for the answer. Of the service's transactions alone: a feeder
    /// has some too.
    DeliverBehindOutputs,
}

#[derive(Default)]
struct Shared {
    upstream: Mutex<String>,
    /// Tricks that wait for a request of their kind.
    armed: Mutex<Vec<(i16, Trick)>>,
    played: AtomicU32,
    /// Requests for the next transaction of their name.
    held: Mutex<Vec<Vec<u8>>>,
    /// What the broker answered to those.
    answers: Mutex<Vec<i16>>,
}

/// A running proxy; it ends with the process.
pub(super) struct Proxy {
    pub(super) port: u16,
    shared: Arc<Shared>,
}

impl Proxy {
    /// Listens; connections are refused until [`Proxy::lead_to`] says where they go.
    pub(super) fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let port = listener.local_addr().expect("an address").port();
        let shared = Arc::new(Shared::default());
        let shared_too = Arc::clone(&shared);
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let shared = Arc::clone(&shared_too);
                let Ok(server) = shared.connect() else { continue };
                thread::spawn(move || pass(client, server, &shared));
            }
        });
        Self { port, shared }
    }

    pub(super) fn lead_to(&self, address: &str) {
        address.clone_into(&mut self.shared.upstream.lock().expect("no panic"));
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

    /// Error codes of the broker for transactions' ends that were delivered in the next one; 0: it ended that.
    pub(super) fn answers(&self) -> Vec<i16> {
        self.shared.answers.lock().expect("no panic").clone()
    }
}

impl Shared {
    fn connect(&self) -> io::Result<TcpStream> {
        TcpStream::connect(&*self.upstream.lock().expect("no panic"))
    }

    /// Sends a request by a connection of its own: where it comes from is no matter to a broker. The answer, which nobody else hears.
    fn deliver(&self, request: &[u8]) -> io::Result<Vec<u8>> {
        let mut server = self.connect()?;
        server.write_all(request)?;
        frame(&server)
    }

    /// Delivers what was held for the transaction that adds its offsets.
    fn release(&self, adds_offsets: &[u8]) -> io::Result<()> {
        let name = transactional_id(adds_offsets);
        let due: Vec<_> = self.held.lock().expect("no panic").extract_if(.., |held| transactional_id(held) == name).collect();
        for request in due {
            let answer = self.deliver(&request)?;
            // Behind length, correlation and throttle time.
            let code = answer.get(12..14).map_or(-1, |code| i16::from_be_bytes([code[0], code[1]]));
            self.answers.lock().expect("no panic").push(code);
        }
        Ok(())
    }

    fn trick(&self, api: i16, request: &[u8]) -> Option<Trick> {
        let mut armed = self.armed.lock().expect("no panic");
        let is_meant = |trick: Trick| trick != Trick::DeliverBehindOutputs || !is_of_feeder(request);
        let at = armed.iter().position(|(wanted, trick)| *wanted == api && is_meant(*trick))?;
        self.played.fetch_add(1, Ordering::SeqCst);
        Some(armed.remove(at).1)
    }
}

/// What is to be done with a reply that is awaited.
type Awaited = Arc<Mutex<HashMap<i32, Trick>>>;

/// Passes a connection on, both ways, until either side ends it.
fn pass(client: TcpStream, server: TcpStream, shared: &Arc<Shared>) {
    let (_, _) = (client.set_nodelay(true), server.set_nodelay(true));
    let (Ok(from_server), Ok(to_client)) = (server.try_clone(), client.try_clone()) else { return };
    let awaited = Awaited::default();
    let awaited_too = Arc::clone(&awaited);
    thread::spawn(move || {
        let _ = replies(&from_server, &to_client, &awaited_too);
        let (_, _) = (to_client.shutdown(Shutdown::Both), from_server.shutdown(Shutdown::Both));
    });
    let _ = requests(&client, &server, shared, &awaited);
    let (_, _) = (client.shutdown(Shutdown::Both), server.shutdown(Shutdown::Both));
}

/// Whose transaction a request belongs to: the first text of its body, behind the client's name.
fn transactional_id(request: &[u8]) -> Option<&[u8]> {
    let text = |at: usize| {
        let length = request.get(at..at + 2)?;
        let begin = at + 2;
        request.get(begin..begin + usize::from(u16::from_be_bytes([length[0], length[1]])))
    };
    text(14 + text(12)?.len())
}

/// Whether a transaction is one of `weir feed`, by its name.
fn is_of_feeder(request: &[u8]) -> bool {
    transactional_id(request).is_some_and(|id| id.windows(6).any(|part| part == b".feed."))
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

fn requests(client: &TcpStream, mut server: &TcpStream, shared: &Arc<Shared>, awaited: &Awaited) -> io::Result<()> {
    loop {
        let request = frame(client)?;
        let (Some(api), Some(number)) = (request.get(4..6), request.get(8..12)) else { return Ok(()) };
        let api = i16::from_be_bytes([api[0], api[1]]);
        let number = i32::from_be_bytes([number[0], number[1], number[2], number[3]]);
        match shared.trick(api, &request) {
            None => {}
            Some(Trick::LoseRequest) => return Ok(()),
            Some(Trick::DelayRequest(time)) => thread::sleep(time),
            Some(trick @ (Trick::LoseReply | Trick::DelayReply(_))) => {
                awaited.lock().expect("no panic").insert(number, trick);
            }
            Some(Trick::DeliverLate(time)) => {
                let shared = Arc::clone(shared);
                thread::spawn(move || {
                    thread::sleep(time);
                    shared.deliver(&request)
                });
                return Ok(());
            }
            Some(Trick::DeliverBehindOutputs) => {
                shared.held.lock().expect("no panic").push(request);
                return Ok(());
            }
        }
        if api == ADD_OFFSETS_TO_TXN {
            shared.release(&request)?;
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
