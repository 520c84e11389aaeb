//! The broker of a test: that of `WEIR_TEST_BROKERS`, else one that `deploy/kafka/broker` starts, for all tests of the process together: to start one costs
//! more than most tests do with it, and each has topics, groups and names of its own.
//!
//! Where neither can be had, a test says so in one line; in CI that is a failure. Tests that kill a broker, put a proxy before it or want it set up otherwise
//! start their own, which is wiped after them.

use std::ffi::OsStr;
use std::fmt::Display;
use std::os::unix::process::CommandExt as _;
use std::path::PathBuf;
use std::process::{Child, Command, Output, Stdio};
use std::sync::OnceLock;

use super::repository;

/// The broker of all tests that only are its clients; else why there is none.
static SHARED: OnceLock<Result<Shared, String>> = OnceLock::new();

/// A broker that lives as long as this process.
struct Shared {
    broker: Broker,
    /// Wipes it afterwards, where this process started it.
    _wiper: Option<Child>,
}

/// A broker.
pub(super) struct Broker {
    pub(super) address: String,
    /// Its folder, where the test started it.
    own: Option<tempfile::TempDir>,
}

impl Broker {
    /// Any broker: other tests are its clients, too.
    pub(super) fn find() -> Option<&'static Self> {
        let shared = SHARED.get_or_init(|| match std::env::var("WEIR_TEST_BROKERS") {
            Ok(address) => Ok(Shared { broker: Self { address, own: None }, _wiper: None }),
            Err(_) => Self::start_with([]).map(|broker| Shared { _wiper: Some(broker.wiper()), broker }),
        });
        or_skip(shared.as_ref().map(|shared| &shared.broker))
    }

    /// A broker of the test's own, which sends its clients to `advertised` where one is given.
    pub(super) fn start(advertised: Option<u16>) -> Option<Self> {
        let port = advertised.map(|port| port.to_string());
        or_skip(Self::start_with(port.iter().flat_map(|port| ["--advertise", port])))
    }

    /// A broker of the test's own that wants TLS and a password.
    pub(super) fn secured() -> Option<Self> {
        or_skip(Self::start_with(["--tls", "--sasl"]))
    }

    /// Else why it does not start.
    fn start_with<'a>(arguments: impl IntoIterator<Item = &'a str>) -> Result<Self, String> {
        let mut broker = Self { address: String::new(), own: Some(tempfile::tempdir().expect("a temporary folder")) };
        let started = broker.script("start", arguments);
        if !started.status.success() {
            return Err(String::from_utf8_lossy(&started.stderr).into_owned());
        }
        String::from_utf8_lossy(&started.stdout).trim().clone_into(&mut broker.address);
        Ok(broker)
    }

    /// A process that wipes the broker once this one has ended, however it ends: what it keeps for good is never dropped, but its pipes are closed. In a group
    /// of its own, so that Ctrl-C at the terminal ends the tests and not what is to follow them.
    fn wiper(&self) -> Child {
        let mut wiper = Command::new("bash");
        wiper.args(["-c", r#"cat; "$0" wipe --dir "$1"; rmdir "$(dirname "$1")""#]).arg(script_path()).arg(self.file(""));
        wiper.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null()).process_group(0);
        wiper.spawn().expect("bash starts")
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

/// Says so where there is no broker; in CI that is a failure.
fn or_skip<B, W: Display>(found: Result<B, W>) -> Option<B> {
    found
        .inspect_err(|why| {
            assert!(std::env::var_os("CI").is_none(), "no broker, and CI must have one: {why}");
            eprintln!("SKIPPED: no Kafka broker to test with: {why}");
        })
        .ok()
}

fn script_path() -> PathBuf {
    repository().join("deploy/kafka/broker")
}
