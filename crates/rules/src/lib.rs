//! Rules: from files that people write to a checked, compiled rule set.
//!
//! Owns the feature catalogue's signatures, the rule file format, its diagnostics and the compilation of conditions by DataFusion. Reads no
//! file itself (callers hand over texts), computes no feature, and knows nothing of parties, streams or alerts.

pub mod catalogue;
pub mod compile;
pub mod set;
pub mod template;
pub mod value;

pub use catalogue::{CATALOGUE, Cost, Feature, ValueType, Windows};
pub use compile::{Explained, SlotBatch};
pub use set::{Condition, Exclusion, Formula, Gate, On, Rule, RuleSet, Scope, ScoreItem, SlotId, Status, Variant};
pub use value::{Arg, FeatureCall, Value, Window};
