//! The codes of rule diagnostics, each with the paragraph of `weir rule explain-code`: what it means, an example, the mend.
//!
//! A code keeps its meaning for ever; a retired one is not given away again. `tests/bad/` holds a sample for every code here.

macro_rules! codes {
    ($( $variant:ident $name:literal $paragraph:literal )*) => {
        /// A stable code.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Code { $( #[doc = $paragraph] $variant, )* }

        impl Code {
            /// Every code, rising.
            pub const ALL: &'static [Self] = &[ $( Self::$variant, )* ];

            /// `R0403`.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $( Self::$variant => $name, )* }
            }

            /// What it means, an example, the mend.
            #[must_use]
            pub const fn paragraph(self) -> &'static str {
                match self { $( Self::$variant => $paragraph, )* }
            }
        }
    };
}

codes! {
    // Files.
    YamlSyntax "R0101" "文件不是可用的 YAML。\nThe file is not YAML, or uses parts of YAML that rule files do not (anchors, aliases, tags, several documents).\nExample: `title: \"分散转入` without the closing quote.\nMend: check quotes and indentation of the marked line and of the line before it; quote texts that contain `: ` or ` #`."
    UnknownKey "R0102" "出现了未定义的键。\nA key that this place does not have; it would be ignored, so it is refused.\nExample: `requires:` instead of `require:`.\nMend: use the key the help line proposes; docs/rules.md lists all keys."
    MissingKey "R0103" "缺少必填的键。\nA key that must be there is not, or is empty.\nExample: a rule without `levels:`.\nMend: add the key; docs/rules.md shows its form."
    WrongValue "R0104" "键的值不是所需的形式。\nA value of another form than its key takes: a list where one value belongs, a word where a number belongs, an unknown choice.\nExample: `status: on` (choices are draft, shadow, active, retired).\nMend: write the form named in the message."
    DuplicateKey "R0105" "同一个键出现两次。\nOne mapping has the same key twice; YAML would keep only one of them.\nExample: two `require:` blocks in one rule.\nMend: merge them."
    UnsupportedVersion "R0106" "文件格式版本不受支持。\nThe `version:` of the file is not one this weir reads.\nExample: `version: 2`.\nMend: write `version: 1`, or use a weir that knows the newer format. The rule's own version goes into `revision:`."
    UnknownFile "R0107" "无法判断文件用途。\nA YAML file of the rule directory that is no rule (it has no `id:`) and lies neither in `calendar/` nor in `lists/` nor is `tags.yaml`.\nExample: `fz/notes.yaml` with free notes.\nMend: give the rule its `id:`, or move the file out of the rule directory."

    // Heads of rules.
    DuplicateRule "R0201" "规则编号重复。\nTwo files have the same rule id. Alerts are identified by it, so it must be unique.\nExample: a copied file in which `id: FZ-001` was not changed.\nMend: give one of them another id."
    BadName "R0202" "编号或名称的写法不对。\nA rule id is capital letters, digits and dashes (`FZ-001`); names of parameters, variants, lists and tags are small letters, digits and underscores.\nExample: `id: fz 1`.\nMend: write it in that form. `status` and `variants` are no parameter names, since `--set` uses them."
    NoBasis "R0203" "规则没有依据。\n`basis:` is missing or empty. Every rule names the clauses or the practice it rests on, because every alert shows them.\nExample: `basis: []`.\nMend: name the clause: `basis: [令〔2006〕第2号 第十一条(一)]`."
    LevelsNotRising "R0204" "级别的分数没有递增。\nThe numbers of `levels:` do not rise with the level.\nExample: `levels: {medium: 70, high: 50}`.\nMend: low < medium < high < urgent; leave out levels the rule does not give."
    ZeroPoints "R0205" "加分项的分数为零。\nA `score` item with `points: 0` changes nothing.\nExample: `{when: \"active_days($window) >= 5\", points: 0, reason: 活跃}`.\nMend: give it points (they may be negative), or remove it."
    BadExclusion "R0206" "排除条件缺少理由、责任人或截止日。\nAn exclusion silences a rule, so it names why (`reason`), who answers for it (`owner`) and the last day it counts (`until`).\nExample: `exclude: [{when: \"agreement('payroll')\", reason: 代发工资}]`.\nMend: add the missing keys; `until` is a date like 2027-12-31."
    DuplicateVariant "R0207" "变体名称重复。\nTwo variants of a rule have the same name.\nExample: `variants: [{name: days14}, {name: days14}]`.\nMend: rename one."
    UnknownWatch "R0208" "watch 指向不存在或不可用的规则。\n`on: {day_end: {watch: […]}}` names a rule that is not in the set, is not in force, or is itself evaluated at day ends.\nExample: `watch: [FZ-01]`.\nMend: name rules that are `active` or `shadow` and run at instants."
    UntestedRule "R0209" "生效规则没有内嵌测试。\nAn active rule has no inline tests, so nothing shows that it finds what it should and leaves alone what it should.\nExample: a rule without `tests:`.\nMend: add at least one hit and one near miss (docs/rules.md, Tests)."
    DuplicateItem "R0210" "列表中有重复项。\nA list holds the same item twice.\nExample: `subject: [natural, natural]`.\nMend: remove one."

    // Parameters.
    NoReason "R0301" "参数没有说明取值理由。\nA parameter has no `why:`. Defaults must be justified, so that whoever changes them knows what they rest on.\nExample: `min_payers: {type: int, default: 15}`.\nMend: `why: 公开参数 R0001 用 15 笔`."
    BadParamValue "R0302" "参数值与类型不符。\nA default, bound, variant value or `--set` value is not of the parameter's type.\nExample: `{type: ratio, default: 80%}`.\nMend: int `15`, money `500000` or `0.01` (yuan), ratio `0.8`, window `14d`, `36h` or `10wd`, duration `2d`, text."
    OutOfRange "R0303" "参数值超出允许范围。\nA value lies outside the `min`/`max` of its parameter.\nExample: `--set FZ-001.min_payers=0` where `min: 3`.\nMend: choose a value inside the range, or change the range in the rule file, with its reason."
    UnusedParam "R0304" "参数没有被使用。\nNo condition, window or sentence uses the parameter; changing it would change nothing.\nExample: `min_batches` declared, `$min_batch` nowhere.\nMend: use it or remove it."
    UnknownParam "R0305" "参数不存在。\nA condition, sentence, variant, test or `--set` names a parameter that the rule does not declare.\nExample: `natural_payers($windw) >= 15`.\nMend: use the declared name, or declare it under `params:`."
    BadRange "R0306" "参数的范围不可用。\n`min` is above `max`, or the type has no order (text).\nExample: `{type: int, default: 5, min: 9, max: 3}`.\nMend: correct the bounds."

    // Conditions.
    Syntax "R0401" "条件表达式语法错误。\nThe condition is not a SQL expression.\nExample: `amount_in($window) > = 5`.\nMend: correct the marked place; brackets, quotes and commas are the half-width ones: ( ) ' ,."
    NotAllowed "R0402" "条件中不允许此写法。\nConditions are comparisons of features, joined by AND, OR and NOT. Arithmetic, casts, CASE, LIKE, subqueries, windows functions, INTERVAL, NULL, TRUE and FALSE are refused: they are slow, or wrong where values are missing, or hide what was measured.\nExample: `amount_out($w) / amount_in($w) >= 0.7`.\nMend: ratios are features (`pass_through($w) >= 0.7`); for missing values write `IS NULL`."
    UnknownFeature "R0403" "特征不存在。\nThe name of a feature is not in the catalogue.\nExample: `natural_payer($window) >= 15`.\nMend: use the proposed name; `weir rule features` lists all."
    ArgumentCount "R0404" "特征的参数个数不对。\nA feature has more or fewer arguments than the catalogue says.\nExample: `top_share_out($window)`.\nMend: `top_share_out($window, 3)`; `weir rule features` shows the arguments."
    BadArgument "R0405" "特征的参数类型不对。\nAn argument is not of the kind this place takes.\nExample: `out_batches('90d', 'x')`.\nMend: windows and names in single quotes, numbers without; a parameter must have the matching type."
    TypeMismatch "R0406" "比较双方类型不同。\nThe two sides of a comparison are of different types: counts are compared with whole numbers, money with yuan, ratios with decimals, durations with '2d'.\nExample: `holding_time($window) <= 2`.\nMend: `holding_time($window) <= '2d'`."
    LiteralPrecision "R0407" "数字的小数位过多或过大。\nA literal has more decimals than the feature's type holds (counts none, money 2, ratios 6), is written with an exponent, or is too large. It would have to be rounded, so it is refused.\nExample: `amount_in($window) >= 500000.005`.\nMend: write it exactly."
    BadWindow "R0408" "窗口不可用。\nA window is not of the form `14d`, `36h`, `90m`, `10wd`; is zero; is above 400 days (250 working days); or lies above 15 days without being whole days.\nExample: `amount_in('500d') >= 1`.\nMend: choose a possible window."
    WindowMisfit "R0409" "特征不支持该窗口。\nThe feature needs single legs and takes windows up to 15 days, no working-day windows; or it needs one above 15 days.\nExample: `round_share_in('90d', 1000) >= 0.8`.\nMend: use a window the feature takes, e.g. `'14d'`; `weir rule features` shows which."
    BadRuleHits "R0410" "rule_hits 引用不可用。\n`rule_hits` names a rule that does not exist, is not in force, is the rule itself, uses `rule_hits` itself, or runs at day ends.\nExample: `rule_hits('FZ-99', '14d') >= 1`.\nMend: name an active or shadow rule that runs at instants and uses no `rule_hits`."
    AlwaysSame "R0411" "条件恒真或恒假。\nWhatever happens on the account, the condition has the same outcome (or the missing-value outcome).\nExample: `natural_payers($window) >= 0`; `round_share_in($window, 1000) >= 80` (shares go from 0 to 1).\nMend: correct the threshold or remove the condition."
    NotACondition "R0412" "这里需要条件而不是数值。\nA number, amount or ratio stands where something true or false belongs.\nExample: `natural_payers($window) AND amount_in($window) >= 5`.\nMend: compare it: `natural_payers($window) >= 15`."
    NothingMeasured "R0413" "比较中没有特征。\nA comparison has literals or parameters only, so it measures nothing.\nExample: `$min_payers >= 15`.\nMend: put a feature on one side."
    UnknownName "R0414" "名称不存在。\nA quoted name (channel, tag, list, agreement, kind of party) is not one there is.\nExample: `agreement('salary')`.\nMend: use the proposed name. Tags come from `tags.yaml`, lists from `lists/`."
    TooComplex "R0415" "条件过于复杂，无法编译。\nThe condition nests brackets too deeply, has more than 64 AND and OR, or DataFusion refused it (the message is then DataFusion's).\nExample: a hundred comparisons joined by OR.\nMend: write several conditions under `require:`, or use IN."

    // Sentences.
    BadTemplate "R0501" "语句模板语法错误。\nA `{` without `}`, a `}` without `{`, or nothing between them.\nExample: `reason: \"{natural_payers人转入\"`.\nMend: close the brace; write `{{` and `}}` for braces themselves."
    UnknownTemplateName "R0502" "模板中的名称不存在。\nA place in a sentence is neither a parameter of the rule nor a feature its conditions use.\nExample: `{natural_payer}人`.\nMend: use the proposed name, or write the call in full: `{payees($window)}`."
    BadFilter "R0503" "模板过滤器不可用。\nA filter does not exist, or does not fit the value: `万元` is for money, `%` for ratios, `zh` for windows and durations.\nExample: `{natural_payers|%}`.\nMend: choose a filter that fits, or none."

    // Settings from the command line.
    BadOverride "R0601" "--set 的写法不对。\nA `--set` is not `RULE.param=value`, `RULE.variant.param=value`, `RULE.status=…` or `RULE.variants=a,b`.\nExample: `--set FZ-001:min_payers=5`.\nMend: `--set FZ-001.min_payers=5`."
    UnknownRule "R0602" "--set 指向不存在的规则。\nA `--set` names a rule that is not in the set.\nExample: `--set FZ-01.min_payers=5`.\nMend: use the rule's id; `weir rule list` shows them."
    UnknownVariant "R0603" "变体不存在。\nA `--set` names a variant the rule does not have, or keeps none.\nExample: `--set FZ-001.variants=days15`.\nMend: use the names under `variants:` of the rule file."

    // Calendar, lists, tags.
    BadCalendar "R0701" "日历数据有矛盾。\nA date that does not exist, a range that ends before it begins or is longer than 31 days, a day outside the years of the file, a day twice, or a make-up working day that is no weekend day.\nExample: `workdays: [2025-09-29]` (a Monday).\nMend: copy the days from the State Council's notice."
    BadList "R0702" "名单有误。\nTwo lists of one name, an empty or repeated member, or no `owner`.\nExample: the same key twice under `members:`.\nMend: correct the list file; its owner answers for it."
    BadTags "R0703" "附言标签有误。\nMore than 16 tags, two of one name, or a tag without keywords.\nExample: `tags: [{name: interest, keywords: []}]`.\nMend: merge tags; a leg has room for 16."

    // Inline tests.
    BadTest "R0801" "内嵌测试写法不对。\nA test has no transactions, no expectation, a transaction column that records do not have, or a row with more or fewer cells than the header.\nExample: a column `amout`.\nMend: use the field names of docs/records.md; docs/rules.md shows a whole test."
    BadTestValue "R0802" "内嵌测试中的值无法读取。\nA time, number or span of a test cannot be read.\nExample: `repeat` = `x`, `occurred_at` = `yesterday`.\nMend: times like `2026-03-02 10:00`, steps like `1h`, `1d`, `1mo`."
    DuplicateTest "R0803" "内嵌测试重名。\nTwo tests of one rule have the same name, so their results could not be told apart.\nExample: two tests named `命中`.\nMend: say in the name what each one shows."
}

/// The paragraph of a code such as `R0403` (either case); `None` for a code that does not exist.
#[must_use]
pub fn explain_code(code: &str) -> Option<&'static str> {
    Code::ALL.iter().find(|known| known.name().eq_ignore_ascii_case(code.trim())).map(|known| known.paragraph())
}
