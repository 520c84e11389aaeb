//! The broker of a test: that of `WEIR_TEST_BROKERS`, else one that `deploy/kafka/broker` starts for it and wipes after it.
//!
//! Where neither can be had, a test says so in one line; in CI that is a failure. Tests that kill a broker or put a proxy before it always
//! start their own.

use std::ffi::OsStr;
use std::path::PathBuf;
use std::process::{Command, Output};

use super::repository;

/// A broker for one test.
pub(super) struct Broker {
    pub(super) address: String,
    /// Its folder, where the test started it.
    own: Option<tempfile::TempDir>,
}

impl Broker {
    /// Any broker.
    pub(super) fn find() -> Option<Self> {
        match std::env::var("WEIR_TEST_BROKERS") {
            Ok(address) => Some(Self { address, own: None }),
            Err(_) => Self::start(None),
        }
    }

    /// A broker of the test's own, which sends its clients to `advertised` where one is given.
    pub(super) fn start(advertised: Option<u16>) -> Option<Self> {
        let port = advertised.map(|port| port.to_string());
        Self::start_with(port.iter().flat_map(|port| ["--advertise", port]))
    }

    /// A broker of the test's own that wants TLS and a password.
    pub(super) fn secured() -> Option<Self> {
        Self::start_with(["--tls", "--sasl"])
    }

    fn start_with<'a>(arguments: impl IntoIterator<Item = &'a str>) -> Option<Self> {
        let mut broker = Self { address: String::new(), own: Some(tempfile::tempdir().expect("a temporary folder")) };
        let started = broker.script("start", arguments);
        if started.status.success() {
            String::from_utf8_lossy(&started.stdout).trim().clone_into(&mut broker.address);
            return Some(broker);
        }
        let why = String::from_utf8_lossy(&started.stderr);
        assert!(std::env::var_os("CI").is_none(), "no broker, and CI must have one: {why}");
        eprintln!("SKIPPED: no Kafka broker to test with: {why}");
        None
    }

    /// A file of the broker's folder, where the test started it.
    pub(super) fn file(&self, name: &str) -> PathBuf {
        self.own.as_ref().expect("a broker of the test's own").path().join("kafka").join(name)
    }

    /// SIGKILL, as a power cut would end it.
    pub(super) fn kill(&self) {
        let pid = self.script("pid", ["1"]);
        let pid = String::from_utf8_lossy(&pid.stdout).trim().to_owned();
        assert!(Command::new("kill").args(["-KILL", &pid]).status().expect("kill").success());
        while self.script("pid", ["1"]).status.success() {}
    }

    /// Starts it again, with its data.
    pub(super) fn restart(&self) {
        let started = self.script("start", [""; 0]);
        assert!(started.status.success(), "the broker starts again: {}", String::from_utf8_lossy(&started.stderr));
    }

    fn script<A: AsRef<OsStr>>(&self, command: &str, arguments: impl IntoIterator<Item = A>) -> Output {
        let mut script = Command::new(script_path());
        script.arg(command).arg("--dir").arg(self.file("")).args(arguments);
        script.output().expect("the script runs")
    }
}

impl Drop for Broker {
    fn drop(&mut self) {
        if self.own.is_some() {
            self.script("wipe", [""; 0]);
        }
    }
}

fn script_path() -> PathBuf {
    repository().join("deploy/kafka/broker")
}
