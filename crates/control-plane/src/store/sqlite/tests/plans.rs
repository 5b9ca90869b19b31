//! A tick costs what is due, not what exists: no statement walks over a table.

use crate::store::sqlite::{schema, sql};

use super::place;

#[test]
fn every_statement_searches_by_an_index_and_none_sorts() {
    let (_folder, path) = place();
    let db = schema::open(&path).unwrap();
    for (name, statement) in sql::ALL {
        for step in statement.plan(&db) {
            assert!(
                step.starts_with("SEARCH ") && step.contains(" USING "),
                "{name} would do more than search an index: {step}"
            );
        }
    }
}

#[test]
fn the_check_above_sees_a_scan_and_a_sort() {
    let (_folder, path) = place();
    let db = schema::open(&path).unwrap();
    let plan = |text: &str| {
        let mut statement = db.prepare(&format!("EXPLAIN QUERY PLAN {text}")).unwrap();
        let steps = statement.query_map([], |row| row.get::<_, String>(3)).unwrap();
        steps.collect::<Result<Vec<_>, _>>().unwrap().concat()
    };
    assert!(plan("SELECT agent FROM agents WHERE version = 1").starts_with("SCAN"));
    assert!(
        plan("SELECT agent FROM agents WHERE shard = 1 AND awake = 1 ORDER BY agent").contains("TEMP B-TREE")
    );
}
