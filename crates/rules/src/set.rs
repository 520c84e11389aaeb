//! A checked rule set: what the detector, the oracle and the command line work with.
//!
//! Everything here has been checked: types fit, parameters are bound, windows are possible, levels rise. The two readings of a condition
//! stand side by side: [`Condition::formula`], the typed tree that people and the oracle read and that decides single rows, and the Arrow
//! expression of DataFusion's that decides many at once. The set is immutable; a change of rules is another set with another hash.

use weir_model::{Calendar, Day, Level, PartyKind, Span};

use crate::compile::Predicate;
use crate::logic::{Logic, compare};
use crate::template::Template;
use crate::value::{FeatureCall, Value, Window};

/// Index of a slot in [`RuleSet::slots`]. Cheap slots come first.
pub type SlotId = usize;

/// All rules of a directory, checked and compiled.
#[derive(Debug)]
pub struct RuleSet {
    /// Hex BLAKE3-128 over the content of all files of the set and the parameters set on the command line.
    pub hash: String,
    /// Rules by id. Retired and draft rules are not here.
    pub rules: Vec<Rule>,
    /// Every distinct feature call of every rule: cheap ones first.
    pub slots: Vec<FeatureCall>,
    /// How many of `slots` are cheap.
    pub cheap_slots: usize,
    /// Working days.
    pub calendar: Calendar,
    /// Lists: name and members (party keys), sorted.
    pub lists: Vec<(String, Vec<String>)>,
    /// Memo tags.
    pub tags: TagFile,
}

/// Keyword lists that tag memos: `tags[i]` owns bit `i`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TagFile {
    /// In the order of their bits.
    pub tags: Vec<Tag>,
}

/// One tag.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tag {
    /// Name in conditions.
    pub name: String,
    /// Name in Chinese sentences; that in conditions where the file gives none.
    pub zh: String,
    /// A text that contains one of them has the tag.
    pub keywords: Vec<String>,
}

impl TagFile {
    /// Names and keywords, as the splitter takes them.
    #[must_use]
    pub fn keywords(&self) -> Vec<(String, Vec<String>)> {
        self.tags.iter().map(|tag| (tag.name.clone(), tag.keywords.clone())).collect()
    }
}

/// Where a rule stands in its life. Draft and retired rules are checked, then left out of the set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// On trial: evaluated, alerts marked `shadow`.
    Shadow,
    /// In force.
    Active,
}

/// Which parties a rule looks at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// Customers and accounts.
    Customer,
    /// Groups of related customers.
    Group,
}

/// When a rule is evaluated.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum On {
    /// As of every instant with a leg.
    Instant,
    /// As of day ends, for parties with a recent episode of one of these rules.
    DayEnd {
        /// Ids of the watched rules.
        watch: Vec<String>,
    },
}

/// One rule.
#[derive(Debug)]
pub struct Rule {
    /// `FZ-001`.
    pub id: String,
    /// Version of the file.
    pub version: u32,
    /// Title.
    pub title: String,
    /// Status.
    pub status: Status,
    /// Clauses.
    pub basis: Vec<String>,
    /// Kinds it applies to.
    pub subject: Vec<PartyKind>,
    /// Parties it applies to.
    pub scope: Scope,
    /// When it is evaluated.
    pub on: On,
    /// Hits at most this far apart are one episode.
    pub quiet: Span,
    /// At least one.
    pub variants: Vec<Variant>,
    /// Rising: level and the score it needs.
    pub levels: Vec<(Level, i64)>,
    /// Whether a condition uses `rule_hits`: such rules are evaluated after the others.
    pub uses_rule_hits: bool,
}

impl Rule {
    /// The level of a score; `None` below the lowest.
    #[must_use]
    pub fn level(&self, score: i64) -> Option<Level> {
        self.levels.iter().rev().find(|(_, needed)| score >= *needed).map(|(level, _)| *level)
    }

    /// Whether the rule applies to a party of this kind; an unknown kind fits every rule.
    #[must_use]
    pub fn fits(&self, kind: PartyKind) -> bool {
        kind == PartyKind::Unknown || self.subject.contains(&kind)
    }
}

/// A rule under one set of parameters.
#[derive(Debug)]
pub struct Variant {
    /// Empty for the only variant of a rule without variants.
    pub name: String,
    /// Name for people; may be empty.
    pub zh: String,
    /// The window of evidence, people and amounts.
    pub window: Window,
    /// Parameters as bound, for `weir rule list` and templates: name and text.
    pub params: Vec<(String, String)>,
    /// All must be true.
    pub require: Vec<Condition>,
    /// None may be true.
    pub exclude: Vec<Exclusion>,
    /// Points of every hit.
    pub base: i64,
    /// Points on top.
    pub score: Vec<ScoreItem>,
    /// The alert's sentence.
    pub reason: Template,
    /// Comparisons of cheap slots with literals that `require` implies: a row at which one does not hold cannot hit, and of a condition that is
    /// nothing else ([`Condition::is_gated`]) they say all there is to say. Counts come first: they cost least.
    pub gates: Vec<Gate>,
    /// Slots of `require`, `exclude`, `score` and `reason`, without repetition.
    pub slots: Vec<SlotId>,
    /// n of the first `out_batches` the variant names.
    pub batch_size: Option<i64>,
}

/// A comparison with a literal that a condition implies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Gate {
    /// The slot compared.
    pub slot: SlotId,
    /// How its value compares.
    pub comparison: Comparison,
    /// With this; never NULL, of the slot's type.
    pub literal: Value,
}

impl Gate {
    /// Whether the comparison is true of a value; of NULL it is not.
    #[must_use]
    pub fn holds(&self, value: Value) -> bool {
        compare(self.comparison, value, self.literal) == Some(true)
    }
}

/// One boolean expression as written, in both readings.
#[derive(Debug, Clone)]
pub struct Condition {
    /// As written, parameters unbound: `natural_payers($window) >= $min_payers`.
    pub text: String,
    /// Clause it rests on, where the file names one.
    pub clause: Option<String>,
    /// The typed tree.
    pub formula: Formula,
    /// The expression compiled for many rows at once; none of a part of a condition. Conditions that only ever meet single rows have it too: planning
    /// finds what DataFusion would refuse, and tests hold both readings against each other.
    pub(crate) predicate: Option<Predicate>,
    /// The same for one row.
    pub(crate) logic: Logic,
    /// Its comparisons one by one; none where it is a single one.
    pub(crate) leaves: Vec<(Formula, Logic)>,
    /// Slots it reads.
    pub slots: Vec<SlotId>,
    /// Whether all of them are cheap.
    pub cheap: bool,
    /// Whether it is a conjunction of comparisons of slots with literals and nothing else: if it is cheap too, [`Variant::gates`] say all that
    /// it says.
    pub is_gated: bool,
}

impl Condition {
    /// Its different comparisons as conditions of their own, parameters bound, with the slots of the whole; none where it is a single comparison.
    #[must_use]
    pub fn leaves(&self) -> Vec<Self> {
        let leaf = |(formula, logic): &(Formula, Logic)| Self {
            text: formula.to_string(),
            clause: None,
            formula: formula.clone(),
            predicate: None,
            logic: logic.clone(),
            leaves: Vec::new(),
            slots: self.slots.clone(),
            cheap: self.cheap,
            is_gated: false,
        };
        self.leaves.iter().map(leaf).collect()
    }

    /// Its outcome for a row of slot values: true, false, or NULL.
    ///
    /// # Panics
    /// When it reads a slot that the row has no value for: a fault of the caller.
    #[must_use]
    pub fn outcome(&self, row: &[Value]) -> Option<bool> {
        self.logic.outcome(&mut |slot| row[slot])
    }

    /// Whether its outcome is true, over values that are asked for only where that rests on them.
    pub fn holds(&self, mut value: impl FnMut(SlotId) -> Value) -> bool {
        self.logic.holds(&mut value)
    }
}

/// A condition that silences a rule, with the one who answers for it.
#[derive(Debug)]
pub struct Exclusion {
    /// When.
    pub when: Condition,
    /// Why.
    pub reason: String,
    /// Who answers for it.
    pub owner: String,
    /// Last day it counts.
    pub until: Day,
}

/// A condition that adds points.
#[derive(Debug)]
pub struct ScoreItem {
    /// When.
    pub when: Condition,
    /// How many.
    pub points: i64,
    /// Why, in Chinese.
    pub reason: Template,
}

/// Comparison operators.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Comparison {
    /// `=`
    Equal,
    /// `<>`
    NotEqual,
    /// `<`
    Less,
    /// `<=`
    LessOrEqual,
    /// `>`
    Greater,
    /// `>=`
    GreaterOrEqual,
}

/// The typed tree of a condition: SQL's boolean logic over feature calls and literals, and nothing else. Both sides of a comparison have
/// the same type, so no conversion ever happens while evaluating.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Formula {
    /// A literal; never NULL.
    Literal(Value),
    /// A feature call.
    Call(FeatureCall),
    /// Two values of one type.
    Compare(Comparison, Box<Formula>, Box<Formula>),
    /// Conjunction, three-valued.
    And(Box<Formula>, Box<Formula>),
    /// Disjunction, three-valued.
    Or(Box<Formula>, Box<Formula>),
    /// Negation, three-valued.
    Not(Box<Formula>),
    /// `x BETWEEN low AND high`, both inclusive.
    Between(Box<Formula>, Box<Formula>, Box<Formula>),
    /// `x IN (…)`.
    In(Box<Formula>, Vec<Formula>),
    /// `x IS NULL`.
    IsNull(Box<Formula>),
}

impl Formula {
    /// Whether it may be that it cannot be evaluated, because a feature it rests on lacks something.
    pub(crate) fn may_be_null(&self) -> bool {
        match self {
            Self::Literal(_) | Self::IsNull(_) => false,
            Self::Call(call) => !call.feature.lacks().is_empty(),
            Self::Compare(_, left, right) | Self::And(left, right) | Self::Or(left, right) => left.may_be_null() || right.may_be_null(),
            Self::Not(inner) => inner.may_be_null(),
            Self::Between(of, low, high) => [of, low, high].into_iter().any(|part| part.may_be_null()),
            Self::In(of, list) => of.may_be_null() || list.iter().any(Self::may_be_null),
        }
    }
}
