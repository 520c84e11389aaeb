//! Every code has a sample that shows it: `tests/bad/NAME.yaml` beside the text it gives, `NAME.txt`, in both languages.
//!
//! A sample may hold several files, each begun by a line `#file PATH`, and settings in lines `#set RULE.param=value`.

use std::collections::BTreeSet;

use expect_test::expect_file;
use proptest::prelude::*;
use weir_rules::{Code, Diagnostics, Lang, Override, SourceFile, explain_code, load};

use crate::support::files;

fn problems(sample: &SourceFile) -> Diagnostics {
    let mut sources = vec![SourceFile { path: sample.path.clone(), text: String::new() }];
    let mut overrides = Vec::new();
    for line in sample.text.split_inclusive('\n') {
        if let Some(path) = line.strip_prefix("#file ") {
            sources.push(SourceFile { path: path.trim().to_owned(), text: String::new() });
        } else if let Some(setting) = line.strip_prefix("#set ") {
            overrides.push(Override::new(setting.trim()));
        } else if let Some(source) = sources.last_mut() {
            source.text.push_str(line);
        }
    }
    sources.retain(|source| !source.text.trim().is_empty());
    match load(&sources, &overrides) {
        Ok(loaded) => loaded.warnings,
        Err(problems) => problems,
    }
}

#[test]
fn samples_give_the_texts_beside_them_and_cover_every_code() {
    let mut seen = BTreeSet::new();
    for sample in files("bad").iter().filter(|file| file.path.ends_with(".yaml")) {
        let problems = problems(sample);
        seen.extend(problems.items.iter().map(|item| item.code));
        let text = format!("{}────────\n\n{}", problems.render(Lang::En, false), problems.render(Lang::Zh, false));
        let name = sample.path.trim_end_matches(".yaml");
        expect_file![format!("{}/tests/bad/{name}.txt", env!("CARGO_MANIFEST_DIR"))].assert_eq(&text);
    }
    let missing: Vec<&str> = Code::ALL.iter().filter(|code| !seen.contains(code)).map(|code| code.name()).collect();
    assert!(missing.is_empty(), "codes without a sample: {missing:?}");
}

#[test]
fn every_code_is_explained() {
    for code in Code::ALL {
        let paragraph = |lang| explain_code(code.name(), lang).expect("a paragraph");
        let (en, zh) = (paragraph(Lang::En), paragraph(Lang::Zh));
        assert!(en.contains("\nExample: ") && en.contains("\nMend: "), "{}", code.name());
        assert!(zh.contains("\n示例：") && zh.contains("\n处理："), "{}", code.name());
    }
    assert_eq!(explain_code("R9999", Lang::En), None);
    assert!(Code::ALL.windows(2).all(|pair| pair[0].name() < pair[1].name()));
}

#[test]
fn records_carry_lines_and_columns_in_characters() {
    let sample = SourceFile {
        path: "x.yaml".to_owned(),
        text: "version: 1\nid: T-1\ntitle: 标题\nstatus: draft\nbasis: [b]\nwindow: 14d\nlevels: {low: 1}\nscore: {base: 1}\nreason: r\nrequire: ['in_count(''14d'') >= 1 AND 人数 > 3']\n".to_owned(),
    };
    let records = problems(&sample).records(Lang::En);
    let places: Vec<_> = records.iter().map(|record| (record.code, record.line, record.column, record.end_column)).collect();
    assert_eq!(places, [("R0402", Some(10), Some(39), Some(41))]);
}

#[test]
fn colour_changes_no_letter() {
    let problems = problems(&SourceFile { path: "x.yaml".to_owned(), text: "a: 1\n".to_owned() });
    let coloured = problems.render(Lang::En, true);
    assert!(coloured.contains('\u{1b}'));
    let mut plain = String::new();
    let mut rest = coloured.as_str();
    while let Some(at) = rest.find('\u{1b}') {
        plain.push_str(&rest[..at]);
        rest = &rest[at + rest[at..].find('m').expect("colour codes end in m") + 1..];
    }
    plain.push_str(rest);
    assert_eq!(plain, problems.render(Lang::En, false));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 150, failure_persistence: None, ..ProptestConfig::default() })]
    /// Whatever a slip of the keyboard does to a file, it is reported or loads; nothing panics, and every place can be shown.
    #[test]
    fn slips_of_the_keyboard_never_panic(which in any::<prop::sample::Index>(), slips in prop::collection::vec((any::<prop::sample::Index>(), 0_usize..4, "[-a-z0-9'\"{}$|>:,#（人 \n]"), 1..4)) {
        let mut sources = files("good");
        let at = which.index(sources.len());
        let mut chars: Vec<char> = sources[at].text.chars().collect();
        for (place, cut, inserted) in slips {
            let place = place.index(chars.len());
            let end = (place + cut).min(chars.len());
            chars.splice(place..end, inserted.chars());
        }
        sources[at].text = chars.into_iter().collect();
        let problems = match load(&sources, &[]) {
            Ok(loaded) => loaded.warnings,
            Err(problems) => problems,
        };
        prop_assert_eq!(problems.records(Lang::Zh).len(), problems.items.len());
        prop_assert_eq!(problems.render(Lang::En, false).is_empty(), problems.is_empty());
    }
}
