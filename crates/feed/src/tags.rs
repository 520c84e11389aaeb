//! Keyword tags of memo and purpose.
//!
//! A tag is a list of keywords; a text has the tag if one of them occurs in it as it stands. Keywords are found by their first character, so
//! a text is looked at once however many keywords there are. Sixteen tags at most: that is how many bits a leg has for them.

use weir_model::leg::Tags;

/// The keyword lists of a rule set, ready for use. Never iterated in hash order: a lookup yields a list in the order of the file.
#[derive(Debug, Default)]
pub(crate) struct Tagger {
    by_first: hashbrown::HashMap<char, Vec<(String, u16)>, foldhash::fast::FixedState>,
}

impl Tagger {
    /// Bit i belongs to the i-th list; lists beyond the sixteenth and empty keywords are left out (the rule loader refuses them).
    pub(crate) fn new(lists: &[(String, Vec<String>)]) -> Self {
        let mut tagger = Self::default();
        for (bit, (_, keywords)) in lists.iter().take(16).enumerate() {
            for keyword in keywords {
                if let Some(first) = keyword.chars().next() {
                    tagger.by_first.entry(first).or_default().push((keyword.clone(), 1 << bit));
                }
            }
        }
        tagger
    }

    /// The tags of a text.
    pub(crate) fn tags(&self, text: &str) -> Tags {
        let mut bits = 0;
        if self.by_first.is_empty() {
            return Tags(bits);
        }
        for (at, first) in text.char_indices() {
            for (keyword, bit) in self.by_first.get(&first).map_or(&[][..], Vec::as_slice) {
                if text[at..].starts_with(keyword.as_str()) {
                    bits |= bit;
                }
            }
        }
        Tags(bits)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_has_the_tags_whose_keywords_occur_in_it() {
        let list = |name: &str, words: &[&str]| (name.to_owned(), words.iter().map(|word| (*word).to_owned()).collect());
        let tagger =
            Tagger::new(&[list("invest", &["理财", "投资款"]), list("interest", &["利息", "分红", "返利"]), list("latin", &["P2P"])]);
        for (text, bits) in
            [("购买理财产品", 0b001), ("投资", 0), ("投资款利息", 0b011), ("8月分红", 0b010), ("p2p", 0), ("理P2P财", 0b100), ("", 0)]
        {
            assert_eq!(tagger.tags(text), Tags(bits), "{text}");
        }
    }
}
