//! `/readyz` says that a service is at work when it is: a real broker decides whether a worker gets partitions.

use std::collections::BTreeMap;
use std::fs;
use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::thread;
use std::time::{Duration, Instant};

use weir_kafka::Connection;

use super::broker::Broker;
use super::rig::{Rig, Shape, rules};

const WAIT_MAX: Duration = Duration::from_secs(60);

#[test]
fn a_service_is_ready_when_all_of_it_is_at_work() {
    let Some(broker) = Broker::find() else { return };
    let connection = Connection { brokers: broker.address.clone(), properties: BTreeMap::new() };
    let rig = Rig::bare(connection, "", Shape { roles: &["split", "detect"], ..Shape::default() });
    let port = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr()).expect("a free port").port();
    let settings = fs::read_to_string(rig.path("weir.toml")).expect("settings");
    fs::write(rig.path("weir.toml"), settings.replace("listen = \"\"", &format!("listen = \"127.0.0.1:{port}\""))).expect("written");
    let service = rig.start("one");
    // Nothing is published yet, so no partition may be read.
    until(&rig, || ask(port).contains("wait to begin"));
    assert!(ask(port).contains(" 503 "), "{}", ask(port));
    rig.done(&["rules", "publish", &rules()]);
    until(&rig, || ask(port).contains(" 200 "));
    service.terminate();
}

#[test]
fn a_group_that_the_broker_refuses_ends_the_service_with_what_to_do() {
    let Some(broker) = Broker::find() else { return };
    let rig = Rig::new(&broker.address, Shape { roles: &["split"], session_timeout: "2000s", ..Shape::default() });
    let mut service = rig.start("one");
    let mut ended = None;
    until(&rig, || {
        ended = service.ended();
        ended.is_some()
    });
    assert_eq!(ended, Some(Some(70)), "{}", rig.log());
    assert!(rig.log().contains("`kafka.session_timeout` must lie between"), "{}", rig.log());
}

fn until(rig: &Rig, mut is_so: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !is_so() {
        assert!(begun.elapsed() < WAIT_MAX, "{}", rig.log());
        thread::sleep(Duration::from_millis(100));
    }
}

/// What `/readyz` answers; nothing while it does not.
fn ask(port: u16) -> String {
    let ask = || -> std::io::Result<String> {
        let mut stream = TcpStream::connect(("127.0.0.1", port))?;
        stream.write_all(b"GET /readyz HTTP/1.0\r\n\r\n")?;
        let mut text = String::new();
        stream.read_to_string(&mut text)?;
        Ok(text)
    };
    ask().unwrap_or_default()
}
