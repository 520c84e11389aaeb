//! From a checked condition to a DataFusion physical expression.
//!
//! The syntax tree that [`crate::expression`] leaves over is planned by DataFusion's SQL planner against a schema of the condition's own
//! feature columns, its numbered places are filled with literals of the exact column types, then it is coerced and turned into a physical
//! expression. It is not simplified: of `x IN (a) AND x NOT IN (a)` DataFusion makes false, where an `x` that is not known makes it NULL, and the
//! opposite would be a hit. What simplification finds is only told, as "this is always false". Column types: counts and durations `Int64`, money
//! `Decimal128(38, 2)`, ratios `Decimal128(38, 6)`, yes-or-no `Boolean`; all may be NULL. Only this module talks to the planner.

use std::sync::Arc;

use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use datafusion_common::config::ConfigOptions;
use datafusion_common::tree_node::{Transformed, TreeNode};
use datafusion_common::{DFSchema, DataFusionError, Result, ScalarValue, TableReference, not_impl_err};
use datafusion_expr::execution_props::ExecutionProps;
use datafusion_expr::physical_planning_context::PhysicalPlanningContext;
use datafusion_expr::planner::ContextProvider;
use datafusion_expr::simplify::SimplifyContext;
use datafusion_expr::{AggregateUDF, Expr, HigherOrderUDF, ScalarUDF, TableSource, WindowUDF};
use datafusion_optimizer::simplify_expressions::ExprSimplifier;
use datafusion_physical_expr::{PhysicalExpr, create_physical_expr};
use datafusion_sql::planner::{PlannerContext, SqlToRel};
use datafusion_sql::sqlparser::ast::Expr as SqlExpr;

use crate::catalogue::ValueType;
use crate::value::{FeatureCall, Value};

/// Digits of money and ratio columns: all that an `i128` holds.
pub(crate) const PRECISION: u8 = 38;
/// Decimals of money.
pub(crate) const MONEY_SCALE: i8 = 2;
/// Decimals of ratios.
pub(crate) const RATIO_SCALE: i8 = 6;

/// A physical expression over the columns of `schema`.
#[derive(Debug, Clone)]
pub(crate) struct Planned {
    /// The expression; yields Boolean.
    pub(crate) expr: Arc<dyn PhysicalExpr>,
    /// Its columns, in the order of the calls planned with.
    pub(crate) schema: SchemaRef,
    /// The outcome, where simplification found it is always the same.
    pub(crate) constant: Option<bool>,
}

/// The Arrow type of a feature's column.
pub(crate) fn column_type(kind: ValueType) -> DataType {
    match kind {
        ValueType::Int | ValueType::Duration => DataType::Int64,
        ValueType::Money => DataType::Decimal128(PRECISION, MONEY_SCALE),
        ValueType::Ratio => DataType::Decimal128(PRECISION, RATIO_SCALE),
        ValueType::Bool => DataType::Boolean,
    }
}

fn scalar(value: Value) -> ScalarValue {
    match value {
        Value::Null => ScalarValue::Null,
        Value::Int(n) | Value::Duration(n) => ScalarValue::Int64(Some(n)),
        Value::Money(fen) => ScalarValue::Decimal128(Some(fen), PRECISION, MONEY_SCALE),
        Value::Ratio(millionths) => ScalarValue::Decimal128(Some(millionths), PRECISION, RATIO_SCALE),
        Value::Bool(value) => ScalarValue::Boolean(Some(value)),
    }
}

/// Plans a condition whose syntax tree names `calls` as columns and `literals[k - 1]` as `$k`.
///
/// # Errors
/// Whatever DataFusion finds fault with; for conditions that passed [`crate::expression`] that is a limit of the planner.
pub(crate) fn plan(sql: &SqlExpr, literals: &[Value], calls: &[FeatureCall]) -> Result<Planned> {
    let fields: Vec<Field> =
        calls.iter().map(|call| Field::new(call.to_string(), column_type(call.feature.entry().result), true)).collect();
    let schema = Arc::new(Schema::new(fields));
    let df_schema = Arc::new(DFSchema::try_from(Arc::clone(&schema))?);
    let expr = SqlToRel::new(&NoTables).sql_to_expr(sql.clone(), &df_schema, &mut PlannerContext::new())?;
    let expr = expr.transform(|expr| fill(expr, literals))?.data;
    let simplifier = ExprSimplifier::new(SimplifyContext::builder().with_schema(Arc::clone(&df_schema)).build());
    let expr = simplifier.coerce(expr, &df_schema)?;
    let constant = match simplifier.simplify(expr.clone())? {
        Expr::Literal(ScalarValue::Boolean(Some(outcome)), _) => Some(outcome),
        _ => None,
    };
    let expr = create_physical_expr(&expr, &df_schema, &ExecutionProps::new(), &PhysicalPlanningContext::default())?;
    if expr.data_type(&schema)? != DataType::Boolean {
        return Err(DataFusionError::Plan("the condition does not yield true or false".to_owned()));
    }
    Ok(Planned { expr, schema, constant })
}

/// Replaces `$k` by `literals[k - 1]`.
fn fill(expr: Expr, literals: &[Value]) -> Result<Transformed<Expr>> {
    let Expr::Placeholder(place) = &expr else { return Ok(Transformed::no(expr)) };
    let index: Option<usize> = place.id.strip_prefix('$').and_then(|digits| digits.parse().ok());
    match index.and_then(|index| literals.get(index.checked_sub(1)?)) {
        Some(value) => Ok(Transformed::yes(Expr::Literal(scalar(*value), None))),
        None => Err(DataFusionError::Plan(format!("unbound place {}", place.id))),
    }
}

/// Conditions know columns and operators: no table, no function, no variable.
struct NoTables;

/// Defaults of DataFusion; `ContextProvider` wants a reference.
static OPTIONS: std::sync::LazyLock<ConfigOptions> = std::sync::LazyLock::new(ConfigOptions::default);

impl ContextProvider for NoTables {
    fn get_table_source(&self, name: TableReference) -> Result<Arc<dyn TableSource>> {
        not_impl_err!("conditions have no tables: {name}")
    }

    fn get_function_meta(&self, _name: &str) -> Option<Arc<ScalarUDF>> {
        None
    }

    fn get_higher_order_meta(&self, _name: &str) -> Option<Arc<HigherOrderUDF>> {
        None
    }

    fn get_aggregate_meta(&self, _name: &str) -> Option<Arc<AggregateUDF>> {
        None
    }

    fn get_window_meta(&self, _name: &str) -> Option<Arc<WindowUDF>> {
        None
    }

    fn get_variable_type(&self, _names: &[String]) -> Option<DataType> {
        None
    }

    fn options(&self) -> &ConfigOptions {
        &OPTIONS
    }

    fn udf_names(&self) -> Vec<String> {
        Vec::new()
    }

    fn higher_order_function_names(&self) -> Vec<String> {
        Vec::new()
    }

    fn udaf_names(&self) -> Vec<String> {
        Vec::new()
    }

    fn udwf_names(&self) -> Vec<String> {
        Vec::new()
    }
}
