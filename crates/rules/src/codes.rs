//! The codes of rule diagnostics, each with the paragraph of `weir rule explain-code`: what it means, an example, the mend.
//!
//! A code keeps its meaning for ever; a retired one is not given away again. `tests/bad/` holds a sample for every code here.

use crate::diagnostic::Lang;

macro_rules! codes {
    ($( $variant:ident $name:literal $paragraph:literal $zh:literal )*) => {
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
            pub const fn paragraph(self, lang: Lang) -> &'static str {
                match (self, lang) { $( (Self::$variant, Lang::En) => $paragraph, (Self::$variant, Lang::Zh) => $zh, )* }
            }
        }
    };
}

codes! {
    // Files.
    YamlSyntax "R0101" "The file is not YAML, or uses parts of YAML that rule files do not (anchors, aliases, tags, several documents).\nExample: `title: \"分散转入` without the closing quote.\nMend: check quotes and indentation of the marked line and of the line before it; quote texts that contain `: ` or ` #`."
        "文件不是可用的 YAML。文件不符合 YAML 语法，或用了规则文件不接受的 YAML 写法（锚点、别名、标签、一个文件多个文档）。\n示例：`title: \"分散转入`，缺少右引号。\n处理：请检查所标的行及其上一行的缩进和引号；文字中含有 `: ` 或 ` #` 的，要加引号。"
    UnknownKey "R0102" "A key that this place does not have; it would be ignored, so it is refused.\nExample: `requires:` instead of `require:`.\nMend: use the key the help line proposes; docs/rules.md lists all keys."
        "出现了未定义的键。此处没有这个键，放过去就会被忽略，所以拒绝。\n示例：把 `require:` 写成了 `requires:`。\n处理：请改用建议中给出的键；全部键见 docs/rules.md。"
    MissingKey "R0103" "A key that must be there is not, or is empty.\nExample: a rule without `levels:`.\nMend: add the key; docs/rules.md shows its form."
        "缺少必填的键。必须有的键没有写，或内容为空。\n示例：规则没有 `levels:`。\n处理：请补上该键；写法见 docs/rules.md。"
    WrongValue "R0104" "A value of another form than its key takes: a list where one value belongs, a word where a number belongs, an unknown choice.\nExample: `status: on` (choices are draft, shadow, active, retired).\nMend: write the form named in the message."
        "键的值不是所需的形式。值的形式与该键的要求不同：该写单个值的写成了列表，该写数字的写成了文字，或所选的值不在可选值之列。\n示例：`status: on`（可选：draft、shadow、active、retired）。\n处理：请按提示中写明的形式改写。"
    DuplicateKey "R0105" "One mapping has the same key twice; YAML would keep only one of them.\nExample: two `require:` blocks in one rule.\nMend: merge them."
        "同一个键出现两次。同一个映射里有两个相同的键，YAML 只会保留其中一个。\n示例：一条规则里有两段 `require:`。\n处理：请合并成一段。"
    UnsupportedVersion "R0106" "The `version:` of the file is not one this weir reads.\nExample: `version: 2`.\nMend: write `version: 1`, or use a weir that knows the newer format. The rule's own version goes into `revision:`."
        "文件格式版本不受支持。文件的 `version:` 不是本程序能读取的版本。\n示例：`version: 2`。\n处理：请写 `version: 1`，或改用支持新格式的 weir。规则自身的版本写在 `revision:`。"
    UnknownFile "R0107" "A YAML file of the rule directory that is no rule (it has no `id:`) and lies neither in `calendar/` nor in `lists/` nor is `tags.yaml`.\nExample: `fz/notes.yaml` with free notes.\nMend: give the rule its `id:`, or move the file out of the rule directory."
        "无法判断文件用途。规则目录里的这个 YAML 文件不是规则（没有 `id:`），不在 `calendar/` 或 `lists/` 下，也不是 `tags.yaml`。\n示例：`fz/notes.yaml`，内容是随手笔记。\n处理：请给规则补上 `id:`，或把文件移到规则目录之外。"

    // Heads of rules.
    DuplicateRule "R0201" "Two files have the same rule id. Alerts are identified by it, so it must be unique.\nExample: a copied file in which `id: FZ-001` was not changed.\nMend: give one of them another id."
        "规则编号重复。两个文件的规则编号相同。预警靠规则编号识别，编号必须唯一。\n示例：复制出来的文件，没有改 `id: FZ-001`。\n处理：请给其中一条换一个编号。"
    BadName "R0202" "A rule id is capital letters, digits and dashes (`FZ-001`); names of parameters, variants, lists and tags are small letters, digits and underscores.\nExample: `id: fz 1`.\nMend: write it in that form. `status` and `variants` are no parameter names, since `--set` uses them."
        "编号或名称的写法不对。规则编号用大写字母、数字和短横线（`FZ-001`）；参数、变体、名单和标签的名称用小写字母、数字和下划线。\n示例：`id: fz 1`。\n处理：请按上述写法改正。`status` 和 `variants` 不能用作参数名，因为 `--set` 要用这两个词。"
    NoBasis "R0203" "`basis:` is missing or empty. Every rule names the clauses or the practice it rests on, because every alert shows them.\nExample: `basis: []`.\nMend: name the clause: `basis: [令〔2006〕第2号 第十一条(一)]`."
        "规则没有依据。`basis:` 缺失或为空。每条规则都要写明所依据的条款或实务做法，因为每条预警都会显示依据。\n示例：`basis: []`。\n处理：请写明条款：`basis: [令〔2006〕第2号 第十一条(一)]`。"
    LevelsNotRising "R0204" "The numbers of `levels:` do not rise with the level.\nExample: `levels: {medium: 70, high: 50}`.\nMend: low < medium < high < urgent; leave out levels the rule does not give."
        "级别的分数没有递增。`levels:` 里的分数没有随级别升高而增大。\n示例：`levels: {medium: 70, high: 50}`。\n处理：应为 low < medium < high < urgent；规则不给出的级别不写。"
    ZeroPoints "R0205" "A `score` item with `points: 0` changes nothing.\nExample: `{when: \"active_days($window) >= 5\", points: 0, reason: 活跃}`.\nMend: give it points (they may be negative), or remove it."
        "得分项的分数为零。`score` 中 `points: 0` 的得分项不起任何作用。\n示例：`{when: \"active_days($window) >= 5\", points: 0, reason: 活跃}`。\n处理：请给它分数（可以为负），或删去该项。"
    BadExclusion "R0206" "An exclusion silences a rule, so it names why (`reason`), who answers for it (`owner`) and the last day it counts (`until`).\nExample: `exclude: [{when: \"agreement('payroll')\", reason: 代发工资}]`.\nMend: add the missing keys; `until` is a date like 2027-12-31."
        "排除条件缺少理由、责任人或截止日。排除条件会让规则不报，所以必须写明为什么（`reason`）、由谁负责（`owner`）、最后哪一天有效（`until`）。\n示例：`exclude: [{when: \"agreement('payroll')\", reason: 代发工资}]`。\n处理：请补上缺少的键；`until` 写日期，如 2027-12-31。"
    DuplicateVariant "R0207" "Two variants of a rule have the same name.\nExample: `variants: [{name: days14}, {name: days14}]`.\nMend: rename one."
        "变体名称重复。同一条规则的两个变体同名。\n示例：`variants: [{name: days14}, {name: days14}]`。\n处理：请给其中一个改名。"
    UnknownWatch "R0208" "`on: {day_end: {watch: […]}}` names a rule that is not in the set, is not in force, or is itself evaluated at day ends.\nExample: `watch: [FZ-01]`.\nMend: name rules that are `active` or `shadow` and run at instants."
        "watch 指向不存在或不可用的规则。`on: {day_end: {watch: […]}}` 所写的规则不在规则集里、未生效（既非 active 也非 shadow），或者本身就在日终评估。\n示例：`watch: [FZ-01]`。\n处理：请写状态为 `active` 或 `shadow`、且按时点（不是日终）评估的规则。"
    UntestedRule "R0209" "An active rule has no inline tests, so nothing shows that it finds what it should and leaves alone what it should.\nExample: a rule without `tests:`.\nMend: add at least one hit and one near miss (docs/rules.md, Tests)."
        "生效规则没有内嵌测试。状态为 active 的规则没有内嵌测试，就没有任何东西能证明它该找的找得到、不该报的不报。\n示例：规则没有 `tests:`。\n处理：请至少写一个命中的例子和一个差一点而不命中的例子（见 docs/rules.md 的 Tests 一节）。"
    DuplicateItem "R0210" "A list holds the same item twice.\nExample: `subject: [natural, natural]`.\nMend: remove one."
        "列表中有重复项。同一个列表里，同一项出现了两次。\n示例：`subject: [natural, natural]`。\n处理：请删去一个。"

    // Parameters.
    NoReason "R0301" "A parameter has no `why:`. Defaults must be justified, so that whoever changes them knows what they rest on.\nExample: `min_payers: {type: int, default: 15}`.\nMend: `why: 公开参数 R0001 用 15 笔`."
        "参数没有说明取值理由。参数没有写 `why:`。默认值必须说明理由，日后改它的人才知道它依据什么。\n示例：`min_payers: {type: int, default: 15}`。\n处理：`why: 公开参数 R0001 用 15 笔`"
    BadParamValue "R0302" "A default, bound, variant value or `--set` value is not of the parameter's type.\nExample: `{type: ratio, default: 80%}`.\nMend: int `15`, money `500000` or `0.01` (yuan), ratio `0.8`, window `14d`, `36h` or `10wd`, duration `2d`, text."
        "参数值与类型不符。默认值、上下限、变体中的值或 `--set` 的值，不符合该参数的类型。\n示例：`{type: ratio, default: 80%}`。\n处理：整数（int）写 `15`，金额（money）写 `500000` 或 `0.01`（元），比率（ratio）写 `0.8`，窗口（window）写 `14d`、`36h` 或 `10wd`，时长（duration）写 `2d`，文字（text）照写。"
    OutOfRange "R0303" "A value lies outside the `min`/`max` of its parameter.\nExample: `--set FZ-001.min_payers=0` where `min: 3`.\nMend: choose a value inside the range, or change the range in the rule file, with its reason."
        "参数值超出允许范围。值不在该参数的 `min`、`max` 之间。\n示例：`--set FZ-001.min_payers=0`，而参数写明 `min: 3`。\n处理：请取范围以内的值；或在规则文件里修改范围，并写明理由。"
    UnusedParam "R0304" "No condition, window or sentence uses the parameter; changing it would change nothing.\nExample: `min_batches` declared, `$min_batch` nowhere.\nMend: use it or remove it."
        "参数没有被使用。没有任何条件、窗口或语句模板用到这个参数，改它不会有任何变化。\n示例：声明了 `min_batches`，却没有一处写 `$min_batch`。\n处理：请用上它，或删去它。"
    UnknownParam "R0305" "A condition, sentence, variant, test or `--set` names a parameter that the rule does not declare.\nExample: `natural_payers($windw) >= 15`.\nMend: use the declared name, or declare it under `params:`."
        "参数不存在。条件、语句模板、变体、测试或 `--set` 用到的参数，规则没有声明。\n示例：`natural_payers($windw) >= 15`。\n处理：请改用已声明的名称，或在 `params:` 下声明它。"
    BadRange "R0306" "`min` is above `max`, or the type has no order (text).\nExample: `{type: int, default: 5, min: 9, max: 3}`.\nMend: correct the bounds."
        "参数的范围不可用。`min` 大于 `max`；或者该类型没有大小之分（文字）。\n示例：`{type: int, default: 5, min: 9, max: 3}`。\n处理：请改正上下限。"

    // Conditions.
    Syntax "R0401" "The condition is not a SQL expression.\nExample: `amount_in($window) > = 5`.\nMend: correct the marked place; brackets, quotes and commas are the half-width ones: ( ) ' ,."
        "条件表达式语法错误。条件不是合法的 SQL 表达式。\n示例：`amount_in($window) > = 5`。\n处理：请改正所标的位置；括号、引号和逗号要用半角：( ) ' ,"
    NotAllowed "R0402" "Conditions are comparisons of features, joined by AND, OR and NOT. Arithmetic, casts, CASE, LIKE, subqueries, window functions, INTERVAL, NULL, TRUE and FALSE are refused: they are slow, or wrong where values are missing, or hide what was measured.\nExample: `amount_out($w) / amount_in($w) >= 0.7`.\nMend: ratios are features (`pass_through($w) >= 0.7`); for missing values write `IS NULL`."
        "条件中不允许此写法。条件由指标的比较组成，用 AND、OR、NOT 连接。算术运算、类型转换、CASE、LIKE、子查询、窗口函数（OVER）、INTERVAL、NULL、TRUE、FALSE 一律拒绝：它们要么慢，要么在缺数据时会出错，要么让人看不出测的是什么。\n示例：`amount_out($w) / amount_in($w) >= 0.7`。\n处理：比率本身就是指标（`pass_through($w) >= 0.7`）；判断缺数据请写 `IS NULL`。"
    UnknownFeature "R0403" "The name of a feature is not in the catalogue.\nExample: `natural_payer($window) >= 15`.\nMend: use the proposed name; `weir rule features` lists all."
        "指标不存在。所写的指标名称不在指标目录里。\n示例：`natural_payer($window) >= 15`。\n处理：请改用建议的名称；`weir rule features` 列出全部指标。"
    ArgumentCount "R0404" "A feature has more or fewer arguments than the catalogue says.\nExample: `top_share_out($window)`.\nMend: `top_share_out($window, 3)`; `weir rule features` shows the arguments."
        "指标的参数个数不对。所给的参数比指标目录规定的多或少。\n示例：`top_share_out($window)`。\n处理：`top_share_out($window, 3)`；`weir rule features` 显示每个指标的参数。"
    BadArgument "R0405" "An argument is not of the kind this place takes.\nExample: `out_batches('90d', 'x')`.\nMend: windows and names in single quotes, numbers without; a parameter must have the matching type."
        "指标的参数类型不对。该位置不接受这一类参数。\n示例：`out_batches('90d', 'x')`。\n处理：窗口和名称加单引号，数字不加；用 `$` 引用的规则参数，类型必须相符。"
    TypeMismatch "R0406" "The two sides of a comparison are of different types: counts are compared with whole numbers, money with yuan, ratios with decimals, durations with '2d'.\nExample: `holding_time($window) <= 2`.\nMend: `holding_time($window) <= '2d'`."
        "比较双方类型不同。比较的两边不是同一类型：计数与整数比，金额与元数比，比率与小数比，时长与 '2d' 这样的写法比。\n示例：`holding_time($window) <= 2`。\n处理：`holding_time($window) <= '2d'`。"
    LiteralPrecision "R0407" "A literal has more decimals than the feature's type holds (counts none, money 2, ratios 6), is written with an exponent, or is too large. It would have to be rounded, so it is refused.\nExample: `amount_in($window) >= 500000.005`.\nMend: write it exactly."
        "数字的小数位过多或过大。所写数字的小数位超过该指标类型所能容纳（计数没有小数，金额2位，比率6位），或用了指数写法，或数值过大。要用就只能舍入，所以拒绝。\n示例：`amount_in($window) >= 500000.005`。\n处理：请写成可以精确表示的数。"
    BadWindow "R0408" "A window is not of the form `14d`, `36h`, `90m`, `10wd`; is zero; is above 400 days (250 working days); or lies above 15 days without being whole days.\nExample: `amount_in('500d') >= 1`.\nMend: choose a possible window."
        "窗口不可用。窗口不是 `14d`、`36h`、`90m`、`10wd` 这样的写法；或长度为零；或超过400天（工作日窗口超过250个工作日）；或超过15天却不是整天。\n示例：`amount_in('500d') >= 1`。\n处理：请改用可用的窗口。"
    WindowMisfit "R0409" "The feature needs single legs and takes windows up to 15 days, no working-day windows; or it needs one above 15 days.\nExample: `round_share_in('90d', 1000) >= 0.8`.\nMend: use a window the feature takes, e.g. `'14d'`; `weir rule features` shows which."
        "指标不支持该窗口。该指标要看逐笔流水，只能用不超过15天的窗口，不能用工作日窗口；或者该指标的这个参数需要超过15天的窗口。\n示例：`round_share_in('90d', 1000) >= 0.8`。\n处理：请用该指标支持的窗口，例如 `'14d'`；`weir rule features` 显示支持哪些。"
    BadRuleHits "R0410" "`rule_hits` names a rule that does not exist, is not in force (in a score item it may be off), is the rule itself, uses `rule_hits` itself, or runs at day ends.\nExample: `rule_hits('FZ-99', '14d') >= 1`.\nMend: name an active or shadow rule that runs at instants and uses no `rule_hits`."
        "rule_hits 引用不可用。`rule_hits` 所写的规则不存在、未生效（既非 active 也非 shadow；得分项中可以停用）、就是本规则自身、自己也用了 `rule_hits`，或者在日终评估。\n示例：`rule_hits('FZ-99', '14d') >= 1`。\n处理：请写状态为 active 或 shadow、按时点（不是日终）评估、且不用 `rule_hits` 的规则。"
    AlwaysSame "R0411" "Whatever happens on the account, the condition has the same outcome (or the missing-value outcome).\nExample: `natural_payers($window) >= 0`; `round_share_in($window, 1000) >= 80` (shares go from 0 to 1).\nMend: correct the threshold or remove the condition."
        "条件恒真或恒假。无论账户上发生什么，该条件的结果都一样（缺数据时无法评估的情形除外）。\n示例：`natural_payers($window) >= 0`；`round_share_in($window, 1000) >= 80`（占比的范围是0到1）。\n处理：请改正门槛，或删去该条件。"
    NotACondition "R0412" "A number, amount or ratio stands where something true or false belongs.\nExample: `natural_payers($window) AND amount_in($window) >= 5`.\nMend: compare it: `natural_payers($window) >= 15`."
        "这里需要条件而不是数值。应当写条件（是或否）的地方，写了数值、金额或比率。\n示例：`natural_payers($window) AND amount_in($window) >= 5`。\n处理：请写成比较：`natural_payers($window) >= 15`。"
    NothingMeasured "R0413" "A comparison has literals or parameters only, so it measures nothing.\nExample: `$min_payers >= 15`.\nMend: put a feature on one side."
        "比较中没有指标。比较的两边只有数值或参数，什么也没有测。\n示例：`$min_payers >= 15`。\n处理：请在一边写上指标。"
    UnknownName "R0414" "A quoted name (channel, tag, list, agreement, kind of party) is not one there is.\nExample: `agreement('salary')`.\nMend: use the proposed name. Tags come from `tags.yaml`, lists from `lists/`."
        "名称不存在。引号里的名称（渠道、标签、名单、协议种类或主体类型）不在可用的名称之列。\n示例：`agreement('salary')`。\n处理：请改用建议的名称。标签来自 `tags.yaml`，名单来自 `lists/`。"
    TooComplex "R0415" "The condition nests brackets too deeply, has more than 64 AND and OR, or DataFusion refused it (the message is then DataFusion's).\nExample: a hundred comparisons joined by OR.\nMend: write several conditions under `require:`, or use IN."
        "条件过于复杂，无法编译。条件的括号嵌套过深，或 AND 和 OR 合计超过64个，或被 DataFusion 拒绝（此时显示的是 DataFusion 的原文）。\n示例：用 OR 连接一百个比较。\n处理：请在 `require:` 下分写成几个条件，或改用 IN。"
    NeverTogether "R0416" "Two comparisons of one feature that would have to hold at once never do: within one condition, among those under `require:`, or between these and a point or an exclusion, which then never counts (in no variant, where it is for all).\nExample: `natural_payers($window) >= 15` under `require:`, and a point for `natural_payers($window) < 10`.\nMend: correct one of the two, or remove the condition; values of parameters are shown in the message."
        "两个条件不可能同时成立。对同一指标的两个比较必须同时成立，却不可能同时成立：在同一个条件之内，或在 `require:` 的各条件之间，或与某个得分项、排除情形之间（该项因此从不起作用；各变体共用的，指在每个变体中都如此）。\n示例：`require:` 中有 `natural_payers($window) >= 15`，又有得分项 `natural_payers($window) < 10`。\n处理：请改正其中之一，或删去该条件；提示中写的是参数的取值。"

    // Sentences.
    BadTemplate "R0501" "A `{` without `}`, a `}` without `{`, or nothing between them.\nExample: `reason: \"{natural_payers人转入\"`.\nMend: close the brace; write `{{` and `}}` for braces themselves."
        "语句模板语法错误。有 `{` 而没有 `}`，或有 `}` 而没有 `{`，或花括号里没有内容。\n示例：`reason: \"{natural_payers人转入\"`。\n处理：请补上缺少的花括号；要写花括号本身，请写 `{{` 和 `}}`。"
    UnknownTemplateName "R0502" "A place in a sentence is neither a parameter of the rule nor a feature its conditions use.\nExample: `{natural_payer}人`.\nMend: use the proposed name, or write the call in full: `{payees($window)}`."
        "模板中的名称不存在。语句模板里某一处的名称，既不是本规则的参数，也不是其条件用到的指标。\n示例：`{natural_payer}人`。\n处理：请改用建议的名称，或写出完整的调用：`{payees($window)}`。"
    BadFilter "R0503" "A filter does not exist, or does not fit the value: `万元` is for money, `%` for ratios, `zh` for windows and durations.\nExample: `{natural_payers|%}`.\nMend: choose a filter that fits, or none."
        "模板过滤器不可用。过滤器不存在，或不适用于该值：`万元` 用于金额，`%` 用于比率，`zh` 用于窗口和时长。\n示例：`{natural_payers|%}`。\n处理：请改用适用的过滤器，或不用过滤器。"
    AmbiguousName "R0504" "A place in a sentence names both a parameter of the rule and a feature that its conditions use: the limit and the measurement look alike in a sentence, and mean the opposite.\nExample: `{pass_through|%}` where `params:` has `pass_through` and a condition calls it.\nMend: write `{pass_through($window)|%}` for what was measured, `{$pass_through|%}` for the parameter."
        "模板中的名称有歧义。语句模板里某一处的名称，既是本规则的参数，又是其条件用到的指标：门槛和实测值在句子里看起来一样，意思却相反。\n示例：`{pass_through|%}`，而 `params:` 里有 `pass_through`，条件里也调用了它。\n处理：实测值写 `{pass_through($window)|%}`，参数写 `{$pass_through|%}`。"

    // Settings from the command line.
    BadOverride "R0601" "A `--set` is not `RULE.param=value`, `RULE.variant.param=value`, `RULE.status=…` or `RULE.variants=a,b`.\nExample: `--set FZ-001:min_payers=5`.\nMend: `--set FZ-001.min_payers=5`."
        "--set 的写法不对。`--set` 不是 `RULE.param=value`、`RULE.variant.param=value`、`RULE.status=…`、`RULE.variants=a,b` 之一（依次为 `规则.参数=值`、`规则.变体.参数=值`、改状态、只保留所列变体）。\n示例：`--set FZ-001:min_payers=5`。\n处理：`--set FZ-001.min_payers=5`。"
    UnknownRule "R0602" "A `--set` names a rule that is not in the set.\nExample: `--set FZ-01.min_payers=5`.\nMend: use the rule's id; `weir rule list` shows them."
        "--set 指向不存在的规则。`--set` 所写的规则不在规则集里。\n示例：`--set FZ-01.min_payers=5`。\n处理：请写规则的编号；`weir rule list` 列出全部规则。"
    UnknownVariant "R0603" "A `--set` names a variant the rule does not have, or keeps none.\nExample: `--set FZ-001.variants=days15`.\nMend: use the names under `variants:` of the rule file."
        "变体不存在。`--set` 所写的变体，该规则没有；或者一个变体也没有保留。\n示例：`--set FZ-001.variants=days15`。\n处理：请用规则文件 `variants:` 下的名称。"

    // Calendar, lists, tags.
    BadCalendar "R0701" "A date that does not exist, a range that ends before it begins or is longer than 31 days, a day outside the years of the file, a day twice, or a make-up working day that is no weekend day.\nExample: `workdays: [2025-09-29]` (a Monday).\nMend: copy the days from the State Council's notice."
        "日历数据有矛盾。日期不存在；或假期结束早于开始，或超过31天；或日期不在该文件所列的年份之内；或同一天出现两次；或调休上班日不是周末。\n示例：`workdays: [2025-09-29]`（这天是星期一）。\n处理：请按国务院办公厅的放假通知照抄日期。"
    BadList "R0702" "Two lists of one name, an empty or repeated member, or no `owner`.\nExample: the same key twice under `members:`.\nMend: correct the list file; its owner answers for it."
        "名单有误。两份名单同名，或有空的成员、重复的成员，或没有 `owner`。\n示例：`members:` 下同一个主体编号出现两次。\n处理：请改正名单文件；名单由其责任人负责。"
    BadTags "R0703" "More than 16 tags, two of one name, or a tag without keywords.\nExample: `tags: [{name: interest, keywords: []}]`.\nMend: merge tags; a leg has room for 16."
        "附言标签有误。标签超过16个，或两个标签同名，或标签没有关键词。\n示例：`tags: [{name: interest, keywords: []}]`。\n处理：请合并标签；一笔流水最多容纳16个。"

    // Inline tests.
    BadTest "R0801" "A test has no transactions, no expectation, a transaction column that records do not have, or a row with more or fewer cells than the header.\nExample: a column `amout`.\nMend: use the field names of docs/records.md; docs/rules.md shows a whole test."
        "内嵌测试写法不对。测试没有交易，或没有写明期望，或交易的某一列不是记录所有的字段，或某一行的单元格比表头多或少。\n示例：列名写成了 `amout`。\n处理：请用 docs/records.md 中的字段名；完整的测试写法见 docs/rules.md。"
    BadTestValue "R0802" "A time, number or span of a test cannot be read.\nExample: `repeat` = `x`, `occurred_at` = `yesterday`.\nMend: times like `2026-03-02 10:00`, steps like `1h`, `1d`, `1mo`."
        "内嵌测试中的值无法读取。测试中的时间、数字或时长无法读取。\n示例：`repeat` = `x`，`occurred_at` = `yesterday`。\n处理：时间写成 `2026-03-02 10:00`，步长写成 `1h`、`1d`、`1mo`。"
    DuplicateTest "R0803" "Two tests of one rule have the same name, so their results could not be told apart.\nExample: two tests named `命中`.\nMend: say in the name what each one shows."
        "内嵌测试重名。同一条规则的两个测试同名，结果就分不清是哪一个的。\n示例：两个测试都叫 `命中`。\n处理：请在名称里写明各自要证明什么。"
}

/// The paragraph of a code such as `R0403` (either case); `None` for a code that does not exist.
#[must_use]
pub fn explain_code(code: &str, lang: Lang) -> Option<&'static str> {
    Code::ALL.iter().find(|known| known.name().eq_ignore_ascii_case(code.trim())).map(|known| known.paragraph(lang))
}
