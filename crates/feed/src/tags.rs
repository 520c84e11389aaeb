//! Keyword tags of memo and purpose.
//!
//! A tag is a list of keywords; a text has the tag if one of them occurs in it as it stands. One automaton knows all keywords, so a text is looked
//! at once however many there are. Sixteen tags at most: that is how many bits a leg has for them.

use aho_corasick::AhoCorasick;
use weir_model::leg::Tags;

/// The keyword lists of a rule set, ready for use.
#[derive(Debug, Default)]
pub(crate) struct Tagger {
    /// None without a keyword.
    keywords: Option<AhoCorasick>,
    /// By keyword.
    bits: Vec<u16>,
}

impl Tagger {
    /// Bit i belongs to the i-th list; lists beyond the sixteenth and empty keywords are left out (the rule loader refuses them).
    pub(crate) fn new(lists: &[(String, Vec<String>)]) -> Self {
        let lists = lists.iter().take(16).enumerate();
        let all = lists.flat_map(|(bit, (_, keywords))| keywords.iter().map(move |keyword| (keyword.as_str(), 1 << bit)));
        let (keywords, bits): (Vec<&str>, Vec<u16>) = all.filter(|(keyword, _)| !keyword.is_empty()).unzip();
        if keywords.is_empty() {
            return Self::default();
        }
        // The library chooses the form: a fast one takes a kilobyte for each letter of a keyword, and there may be many.
        Self { keywords: Some(AhoCorasick::new(keywords).expect("keywords are a file that a person has written")), bits }
    }

    /// The tags of a text.
    pub(crate) fn tags(&self, text: &str) -> Tags {
        let Some(keywords) = self.keywords.as_ref().filter(|_| !text.is_empty()) else { return Tags(0) };
        Tags(keywords.find_overlapping_iter(text).fold(0, |bits, found| bits | self.bits[found.pattern().as_usize()]))
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
