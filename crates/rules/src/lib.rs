//! Rules: from files that people write to a checked, compiled rule set.
//!
//! Owns the feature catalogue's signatures, the rule file format, its diagnostics and the compilation of conditions by DataFusion. Reads no
//! file itself (callers hand over texts), computes no feature, and knows nothing of parties, streams or alerts.

mod bind;
pub mod case;
pub mod catalogue;
mod codes;
pub mod compile;
mod contradiction;
pub mod diagnostic;
pub mod docs;
pub mod document;
pub mod explain;
mod expression;
mod format;
mod freeze;
pub mod lack;
pub mod load;
mod logic;
pub mod overrides;
pub mod param;
mod plan;
mod read;
mod reference;
pub mod set;
pub mod template;
pub mod unit;
pub mod value;
mod yaml;

pub use case::{CsvRow, CsvTable, ExpectedAlert, ExpectedTime, RuleTest, Transactions};
pub use catalogue::{CATALOGUE, Cost, Feature, ValueType, Windows};
pub use compile::SlotBatch;
pub use diagnostic::{Code, Diagnostic, DiagnosticRecord, Diagnostics, Lang, Severity, SourceFile, explain_code};
pub use document::FileStatus;
pub use explain::{Explained, without_outcome};
pub use lack::Lack;
pub use load::{Loaded, ParamDocument, RuleDocument, load};
pub use overrides::Override;
pub use param::ParamType;
pub use set::{
    Comparison, Condition, Exclusion, Formula, Gate, On, Rule, RuleSet, Scope, ScoreItem, SlotId, Status, Tag, TagFile, Variant,
};
pub use template::Template;
pub use unit::Unit;
pub use value::{Arg, FeatureCall, Value, Window};
