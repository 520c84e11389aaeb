//! Reason sentences: Chinese text with places for values.

use crate::value::Value;

/// A checked template.
#[derive(Debug)]
pub struct Template {}

impl Template {
    /// The sentence for one row of slot values.
    #[must_use]
    pub fn render(&self, _values: &[Value]) -> String {
        String::new()
    }
}
