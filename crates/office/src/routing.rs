//! From a division and an industry to addressees.
//!
//! The office of the division where the subject operates, else where it is registered, else where its records say it is; which of them
//! decided stands in the message. A routing file of the bank names offices, departments by industry and the branch of the central bank; a
//! division takes the entry of the longest prefix (county, prefecture, province by GB/T 2260), and so does an industry (GB/T 4754), whose
//! letter counts on neither side. Without a file the division alone is the addressee. A subject without a division, or one whose division no
//! office claims, is [`UNRESOLVED`]: counted, never dropped. `docs/service.md` describes the file, `deploy/routing.yaml` is one.

use std::collections::BTreeMap;

use serde::Deserialize;
use weir_model::Division;
use weir_model::alert::Addressee;
use weir_model::division::DivisionBasis;

/// Division of a message whose office is not known.
pub const UNRESOLVED: &str = "unresolved";

/// A class of GB/T 4754 has so many digits.
const CLASS_DIGITS: usize = 4;

/// The basis of an addressee that is told because it is the branch of the central bank there.
const CENTRAL_BANK: &str = "pboc_branch";

/// Where alerts go.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Routing {
    /// By prefix of GB/T 2260, two, four or six digits. Empty without a routing file.
    offices: BTreeMap<String, String>,
    branches: BTreeMap<String, String>,
    /// By prefix of GB/T 4754, digits alone.
    departments: BTreeMap<String, Vec<String>>,
}

/// A routing file that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct RoutingError(pub String);

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    version: u32,
    offices: Vec<OfficeRow>,
    #[serde(default)]
    central_bank: Vec<OfficeRow>,
    #[serde(default)]
    departments: Vec<DepartmentRow>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct OfficeRow {
    division: String,
    name: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct DepartmentRow {
    industry: String,
    departments: Vec<String>,
}

impl Routing {
    /// Reads a routing file (YAML).
    ///
    /// # Errors
    /// The first thing wrong with it, with its place.
    pub fn parse(text: &str) -> Result<Self, RoutingError> {
        let file: File = serde_saphyr::from_str(text).map_err(|error| RoutingError(error.to_string()))?;
        if file.version != 1 {
            return Err(RoutingError(format!("version {} is not known; this weir reads version 1", file.version)));
        }
        if file.offices.is_empty() {
            return Err(RoutingError("`offices` is empty: no alert would reach an office".to_owned()));
        }
        let mut departments = BTreeMap::new();
        for row in file.departments {
            let class = class_of(&row.industry);
            if !(1..=CLASS_DIGITS).contains(&class.len()) || !class.bytes().all(|b| b.is_ascii_digit()) {
                return Err(RoutingError(format!(
                    "industry `{}` is not a class of GB/T 4754 or the beginning of one (one to four digits, with the letter or without)",
                    row.industry
                )));
            }
            if departments.insert(class.to_owned(), row.departments).is_some() {
                return Err(RoutingError(format!("industry {} stands there twice (the letter does not count)", row.industry)));
            }
        }
        Ok(Self { offices: by_prefix(file.offices)?, branches: by_prefix(file.central_bank)?, departments })
    }

    /// The addressees of an alert on a subject of this division and industry.
    #[must_use]
    pub fn addressees(&self, division: &str, basis: DivisionBasis, industry: &str) -> Vec<Addressee> {
        let departments = longest(&self.departments, class_of(industry)).map(|(_, departments)| departments.clone()).unwrap_or_default();
        let office = match longest(&self.offices, division) {
            _ if division.is_empty() => None,
            Some((prefix, name)) => Some((full(prefix), name.clone())),
            None if self.offices.is_empty() => Some((division.to_owned(), String::new())),
            None => None,
        };
        let is_resolved = office.is_some();
        let (to, name) = office.unwrap_or((UNRESOLVED.to_owned(), String::new()));
        let basis = if is_resolved { basis.name() } else { "" };
        let mut all = vec![Addressee { division: to, office: name, basis: basis.to_owned(), departments }];
        if let Some((prefix, name)) = longest(&self.branches, division) {
            let branch =
                Addressee { division: full(prefix), office: name.clone(), basis: CENTRAL_BANK.to_owned(), departments: Vec::new() };
            all.push(branch);
        }
        all
    }
}

fn by_prefix(rows: Vec<OfficeRow>) -> Result<BTreeMap<String, String>, RoutingError> {
    let mut offices = BTreeMap::new();
    for row in rows {
        if Division::parse(&row.division).is_none() {
            return Err(RoutingError(format!("division `{}` is not a code of GB/T 2260 (six digits)", row.division)));
        }
        let mut prefix = row.division.as_str();
        while let Some(shorter) = prefix.strip_suffix("00").filter(|shorter| !shorter.is_empty()) {
            prefix = shorter;
        }
        if offices.insert(prefix.to_owned(), row.name).is_some() {
            return Err(RoutingError(format!("division {} stands there twice", row.division)));
        }
    }
    Ok(offices)
}

/// A code of GB/T 4754 without the letter of its section. Banks write it or not, and the digits say the same without it.
fn class_of(code: &str) -> &str {
    code.strip_prefix(|letter: char| letter.is_ascii_alphabetic()).unwrap_or(code)
}

/// The entry whose key is the longest beginning of `code`.
fn longest<'m, T>(map: &'m BTreeMap<String, T>, code: &str) -> Option<(&'m str, &'m T)> {
    (1..=code.len())
        .rev()
        .filter_map(|end| code.get(..end))
        .find_map(|prefix| map.get_key_value(prefix))
        .map(|(key, value)| (key.as_str(), value))
}

/// A prefix as a code of six digits.
fn full(prefix: &str) -> String {
    format!("{prefix:0<6}")
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = "
version: 1
offices:
  - {division: \"530000\", name: 云南省处非办}
  - {division: \"530822\", name: 墨江县处非办}
central_bank:
  - {division: \"530800\", name: 人民银行普洱市分行}
departments:
  - {industry: \"70\", departments: [住建局]}
  - {industry: \"701\", departments: [住建局, 市场监管局]}
";

    fn check(division: &str, industry: &str, expected: &[(&str, &str, &str, usize)]) {
        let routing = Routing::parse(FILE).expect("a good file");
        let found = routing.addressees(division, DivisionBasis::Operation, industry);
        let found: Vec<_> =
            found.iter().map(|to| (to.division.as_str(), to.office.as_str(), to.basis.as_str(), to.departments.len())).collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn the_longest_prefix_decides() {
        check("530822", "7010", &[("530822", "墨江县处非办", "operation", 2), ("530800", "人民银行普洱市分行", "pboc_branch", 0)]);
        check("530802", "7090", &[("530000", "云南省处非办", "operation", 1), ("530800", "人民银行普洱市分行", "pboc_branch", 0)]);
        check("530102", "6499", &[("530000", "云南省处非办", "operation", 0)]);
    }

    #[test]
    fn the_letter_of_an_industry_counts_on_neither_side() {
        let departments = |written: &str, industry: &str| {
            let text = format!(
                "version: 1\noffices: [{{division: \"530000\", name: a}}]\ndepartments: [{{industry: \"{written}\", departments: [商务局]}}]"
            );
            let routing = Routing::parse(&text).expect("a good file");
            routing.addressees("530822", DivisionBasis::Operation, industry).swap_remove(0).departments
        };
        for written in ["80", "O80", "O8090"] {
            for industry in ["8090", "O8090"] {
                assert_eq!(departments(written, industry), ["商务局"], "{written} in the file, {industry} of the subject");
            }
            assert!(departments(written, "O81").is_empty());
        }
    }

    /// The sample is a good file, and its departments are those of the sectors that it names.
    #[test]
    fn the_shipped_file_is_one() {
        let routing = Routing::parse(include_str!("../../../deploy/routing.yaml")).expect("the shipped file");
        let to = |industry: &str| routing.addressees("530581", DivisionBasis::Operation, industry);
        let all = to("K7010");
        let offices: Vec<(&str, &str)> = all.iter().map(|to| (to.division.as_str(), to.basis.as_str())).collect();
        assert_eq!(offices, [("530581", "operation"), ("530500", CENTRAL_BANK)]);
        for (industry, department) in [
            ("6635", "金融办"),
            ("J6930", "人行中支"),
            ("6637", "银监分局"),
            ("6633", "商务局"),
            ("L7212", "工商局"),
            ("7010", "住建局"),
            ("0412", "农业局"),
            ("Q8514", "民政局"),
            ("8391", "教育局"),
            ("8411", "卫生计生委"),
            ("7320", "科技局"),
        ] {
            assert_eq!(to(industry).swap_remove(0).departments, [department], "{industry}");
        }
        assert!(to("6110").swap_remove(0).departments.is_empty(), "a hotel is the office's own");
    }

    #[test]
    fn nobody_is_dropped() {
        check("330106", "", &[(UNRESOLVED, "", "", 0)]);
        check("", "7010", &[(UNRESOLVED, "", "", 2)]);
        let without = Routing::default().addressees("330106", DivisionBasis::Record, "");
        assert_eq!((without[0].division.as_str(), without[0].basis.as_str()), ("330106", "record"));
    }

    #[test]
    fn mistakes_are_told() {
        for (text, expected) in [
            ("version: 2\noffices: [{division: \"530000\", name: a}]", "version 2 is not known"),
            ("version: 1\noffices: []", "`offices` is empty"),
            ("version: 1\noffices: [{division: \"5300\", name: a}]", "division `5300` is not a code"),
            ("version: 1\noffices: [{division: \"530000\", name: a}, {division: \"530000\", name: b}]", "stands there twice"),
            (
                "version: 1\noffices: [{division: \"530000\", name: a}]\ndepartments: [{industry: J, departments: []}]",
                "industry `J` is not",
            ),
            (
                "version: 1\noffices: [{division: \"530000\", name: a}]\ndepartments: [{industry: \"67120\", departments: []}]",
                "industry `67120`",
            ),
            (
                "version: 1\noffices: [{division: \"530000\", name: a}]\n\
                 departments: [{industry: J67, departments: []}, {industry: \"67\", departments: []}]",
                "stands there twice",
            ),
            ("version: 1\noffice: []", "office"),
        ] {
            let error = Routing::parse(text).expect_err(text);
            assert!(error.0.contains(expected), "{text}: {error}");
        }
    }
}
