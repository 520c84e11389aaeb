//! JUnit XML, as CI systems read it: one suite a rule.

use std::fmt::Write;

use super::TestReport;

/// The document of a run.
pub(crate) fn document(reports: &[TestReport]) -> String {
    let mut text = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"weir rule test\">\n");
    for suite in reports.chunk_by(|a, b| a.rule == b.rule) {
        let failures = suite.iter().filter(|report| !report.passed).count();
        let micros: u64 = suite.iter().map(|report| report.micros).sum();
        let rule = suite.first().map_or("", |report| &report.rule);
        let (name, tests, time) = (escaped(rule), suite.len(), seconds(micros));
        // Writing to a string cannot fail.
        let _ = writeln!(text, "  <testsuite name=\"{name}\" tests=\"{tests}\" failures=\"{failures}\" time=\"{time}\">");
        for report in suite {
            let (case, time) = (escaped(&report.name), seconds(report.micros));
            let _ = write!(text, "    <testcase classname=\"{name}\" name=\"{case}\" time=\"{time}\"");
            let (message, place) = (escaped(&report.problems.join("\n")), escaped(&report.place));
            let inside = match &report.note {
                _ if !report.passed => format!("<failure message=\"{place}\">{message}</failure>"),
                Some(note) => format!("<system-out>{}</system-out>", escaped(note)),
                None => {
                    text.push_str("/>\n");
                    continue;
                }
            };
            let _ = write!(text, ">\n      {inside}\n    </testcase>\n");
        }
        text.push_str("  </testsuite>\n");
    }
    text + "</testsuites>\n"
}

fn seconds(micros: u64) -> String {
    format!("{}.{:06}", micros / 1_000_000, micros % 1_000_000)
}

/// Text as XML; what XML 1.0 cannot hold at all becomes a question mark.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            c if c < ' ' && !matches!(c, '\n' | '\t' | '\r') => escaped.push('?'),
            c => escaped.push(c),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn failures_stand_in_their_suite() {
        let report = |name: &str, problems: &[&str]| TestReport {
            rule: "FZ-001".to_owned(),
            name: name.to_owned(),
            place: "fz.yaml:3".to_owned(),
            passed: problems.is_empty(),
            problems: problems.iter().map(|problem| (*problem).to_owned()).collect(),
            note: None,
            micros: 1_500,
        };
        expect_test::expect![[r#"
            <?xml version="1.0" encoding="UTF-8"?>
            <testsuites name="weir rule test">
              <testsuite name="FZ-001" tests="3" failures="1" time="0.004500">
                <testcase classname="FZ-001" name="命中" time="0.001500"/>
                <testcase classname="FZ-001" name="日终" time="0.001500">
                  <system-out>未评估</system-out>
                </testcase>
                <testcase classname="FZ-001" name="a &lt; b" time="0.001500">
                  <failure message="fz.yaml:3">14 &lt; 15</failure>
                </testcase>
              </testsuite>
            </testsuites>
        "#]]
        .assert_eq(&document(&[
            report("命中", &[]),
            TestReport { note: Some("未评估".to_owned()), ..report("日终", &[]) },
            report("a < b", &["14 < 15"]),
        ]));
    }
}
