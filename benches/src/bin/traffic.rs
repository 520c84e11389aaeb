//! Writes benchmark traffic to standard output: `traffic TRANSFERS PARTIES DAYS [SEED [SKEW [HOT]]]`, skew in thousandths
//! ([`weir_benches::Dials`]).

use std::io::{BufWriter, Write};
use std::process::ExitCode;

use weir_benches::{DAY, Dials, Traffic};

fn main() -> ExitCode {
    let numbers: Option<Vec<u64>> = std::env::args().skip(1).map(|argument| argument.replace('_', "").parse().ok()).collect();
    let Some([transfers, parties, days, rest @ ..]) = numbers.as_deref() else {
        eprintln!("usage: traffic TRANSFERS PARTIES DAYS [SEED [SKEW [HOT]]]");
        return ExitCode::from(3);
    };
    let usual = Dials { transfers: *transfers, parties: *parties, seconds: *days * DAY, ..Dials::default() };
    let given = |at: usize, usual: u64| rest.get(at).copied().unwrap_or(usual);
    let skew = u32::try_from(given(1, usual.skew.into())).unwrap_or(u32::MAX);
    let dials = Dials { seed: given(0, usual.seed), skew, hot: given(2, usual.hot), ..usual };
    let mut traffic = Traffic::new(dials);
    let mut out = BufWriter::new(std::io::stdout().lock());
    let mut line = String::new();
    while traffic.write_line(&mut line) {
        if out.write_all(line.as_bytes()).is_err() {
            return ExitCode::FAILURE;
        }
        line.clear();
    }
    if out.flush().is_ok() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
