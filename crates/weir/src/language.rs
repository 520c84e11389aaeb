//! Which language weir talks in, and the one way a text exists in both.
//!
//! Codes, field names and record contents are ASCII or as the rules give them; this is about talk only. Both forms of a sentence stand in
//! one call of [`say!`], so that nobody changes one and forgets the other. What is said behind a mistyped word is the same for all words;
//! which form an English word has behind a number, [`plural`] says.

/// A language of messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Lang {
    /// 中文.
    Zh,
    /// English.
    En,
}

impl Lang {
    /// The language of a POSIX locale environment: the first of `LC_ALL`, `LC_MESSAGES`, `LANG` that is set decides.
    pub(crate) fn from_environment(lookup: impl Fn(&str) -> Option<String>) -> Self {
        let locale = ["LC_ALL", "LC_MESSAGES", "LANG"].into_iter().filter_map(lookup).find(|value| !value.is_empty());
        match locale {
            Some(locale) if locale.to_ascii_lowercase().starts_with("zh") => Self::Zh,
            _ => Self::En,
        }
    }

    /// The language asked for by `--lang X` or `--lang=X` anywhere before a bare `--`. It must be known before the command line is parsed,
    /// because help and usage errors speak it too; a wrong value is reported by the parser.
    pub(crate) fn from_arguments(arguments: &[String]) -> Option<Self> {
        let mut arguments = arguments.iter().take_while(|argument| *argument != "--");
        while let Some(argument) = arguments.next() {
            let value = match argument.strip_prefix("--lang") {
                Some("") => arguments.next().map(String::as_str),
                Some(value) => value.strip_prefix('='),
                None => continue,
            };
            match value {
                Some("zh") => return Some(Self::Zh),
                Some("en") => return Some(Self::En),
                _ => {}
            }
        }
        None
    }

    /// The form of a fixed text in this language.
    pub(crate) const fn of(self, zh: &'static str, en: &'static str) -> &'static str {
        match self {
            Self::Zh => zh,
            Self::En => en,
        }
    }
}

impl From<Lang> for weir_rules::Lang {
    fn from(lang: Lang) -> Self {
        match lang {
            Lang::Zh => Self::Zh,
            Lang::En => Self::En,
        }
    }
}

/// `say!(lang, "中文 {x}", "English {x}")`: formats the form of the language.
macro_rules! say {
    ($lang:expr, $zh:literal, $en:literal $(,)?) => {
        match $lang {
            $crate::language::Lang::Zh => format!($zh),
            $crate::language::Lang::En => format!($en),
        }
    };
}
pub(crate) use say;

/// The form of an English word for a number of things: `one` for exactly one, else `many`. Chinese has one form for all.
pub(crate) fn plural<'a, N: PartialEq + From<u8>>(count: N, one: &'a str, many: &'a str) -> &'a str {
    if count == N::from(1) { one } else { many }
}

/// What is said behind a word that is not known: the candidate it most likely meant, at most a third of its letters away; empty where none is.
pub(crate) fn did_you_mean<'a>(word: &str, candidates: impl Iterator<Item = &'a str>, lang: Lang) -> String {
    let distance_max = word.chars().count().div_ceil(3);
    let distances = candidates.map(|candidate| (strsim::osa_distance(word, candidate), candidate));
    let nearest = distances.filter(|(distance, _)| *distance <= distance_max).min();
    nearest.map(|(_, near)| meant(near, lang)).unwrap_or_default()
}

/// The same where somebody else has found what was meant.
pub(crate) fn meant(near: &str, lang: Lang) -> String {
    say!(lang, "；是否想写 `{near}`？", "; did you mean `{near}`?")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(environment: &[(&str, &str)], expected: Lang) {
        let lookup = |name: &str| environment.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned());
        assert_eq!(Lang::from_environment(lookup), expected, "{environment:?}");
    }

    #[test]
    fn the_first_locale_variable_that_is_set_decides() {
        check(&[("LANG", "zh_CN.UTF-8")], Lang::Zh);
        check(&[("LC_ALL", "C"), ("LANG", "zh_CN.UTF-8")], Lang::En);
        check(&[("LC_ALL", ""), ("LC_MESSAGES", "zh_TW"), ("LANG", "de_DE")], Lang::Zh);
        check(&[], Lang::En);
    }

    #[test]
    fn one_thing_alone_is_not_many() {
        let forms = [0_u64, 1, 2].map(|count| plural(count, "rule", "rules"));
        assert_eq!(forms, ["rules", "rule", "rules"]);
        assert_eq!([plural(1_i64, "point", "points"), plural(-1_i64, "point", "points")], ["point", "points"]);
    }

    #[test]
    fn the_argument_is_found_in_both_spellings() {
        let words = |line: &str| line.split(' ').map(str::to_owned).collect::<Vec<_>>();
        assert_eq!(Lang::from_arguments(&words("weir --lang zh detect a")), Some(Lang::Zh));
        assert_eq!(Lang::from_arguments(&words("weir detect --lang=en a")), Some(Lang::En));
        assert_eq!(Lang::from_arguments(&words("weir detect -- --lang zh")), None);
    }
}
