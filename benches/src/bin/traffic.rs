//! Writes benchmark traffic to standard output: `traffic TRANSFERS PARTIES DAYS [SEED]`.

use std::io::{BufWriter, Write};
use std::process::ExitCode;

use weir_benches::{Dials, Traffic};

fn main() -> ExitCode {
    let numbers: Option<Vec<u64>> = std::env::args().skip(1).map(|argument| argument.replace('_', "").parse().ok()).collect();
    let Some([transfers, parties, days, rest @ ..]) = numbers.as_deref() else {
        eprintln!("usage: traffic TRANSFERS PARTIES DAYS [SEED]");
        return ExitCode::from(3);
    };
    let dials =
        Dials { transfers: *transfers, parties: *parties, days: *days, seed: rest.first().copied().unwrap_or(1), ..Dials::default() };
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
