//! The rule set of the stage benchmarks: one rule of the dispersed-in kind whose dials decide how much of the engine runs.

use std::sync::Arc;

use weir_rules::{Override, RuleSet, SourceFile};

const RULE: &str = "
version: 1
id: SET-001
title: 基准测试
status: active
basis: [benchmark]
window: $window
params:
  window: {type: window, default: 7d, zh: 窗口, why: short enough to fill quickly}
  min_payers: {type: int, default: 5, zh: 人数, why: set by the benchmark}
  min_amount: {type: money, default: 100, zh: 金额, why: set by the benchmark}
require:
  - natural_payers($window) >= $min_payers
  - amount_in($window) >= $min_amount
  - top_share_in($window, 1) <= 0.9
  - outlets($window) >= 1
score: {base: 50}
levels: {medium: 50}
reason: '{natural_payers}人转入{amount_in|万元}'
";

const ASKING: &str = "
version: 1
id: SET-002
title: 基准测试
status: active
basis: [benchmark]
window: $w0
params:
  long: {type: duration, default: 36500d, zh: 很久, why: set by the benchmark}
PARAMS
require:
CONDITIONS
score: {base: 50}
levels: {medium: 50}
reason: '基准测试'
";

/// A rule of other windows (`$w0`, `$w1`, …, of so many days) and conditions, which ought never to hold all together: what is measured is the
/// asking.
pub(crate) fn asking(days: &[usize], conditions: &[String]) -> Arc<RuleSet> {
    let window = |(at, days)| format!("  w{at}: {{type: window, default: {days}d, zh: 窗口, why: set by the benchmark}}\n");
    let windows: String = days.iter().enumerate().map(window).collect();
    let conditions: String = conditions.iter().map(|condition| format!("  - {condition}\n")).collect();
    let text = ASKING.replace("PARAMS\n", &windows).replace("CONDITIONS\n", &conditions);
    let files = [SourceFile { path: "asking.yaml".to_owned(), text }];
    Arc::new(weir_rules::load(&files, &[]).expect("the conditions are sound").rules)
}

/// The rule under these `--set` texts.
pub(crate) fn load(settings: &[&str]) -> Arc<RuleSet> {
    let files = [SourceFile { path: "set.yaml".to_owned(), text: RULE.to_owned() }];
    let overrides: Vec<Override> = settings.iter().map(|text| Override::new(*text)).collect();
    Arc::new(weir_rules::load(&files, &overrides).expect("the rule is sound").rules)
}
