//! The measure itself: that it would find what is wrong.

use ecs_fake::model::{Misfit, check_answer, check_shape, lists_error};
use serde_json::json;

#[test]
fn a_wrong_answer_is_found() {
    let answer = |task| check_answer("DescribeTasks", &json!({"tasks": [task], "failures": []}));
    assert_eq!(answer(json!({"taskArn": "a", "createdAt": 1.5, "version": 2})), Ok(()));
    for (task, misfit) in [
        (json!({"taskARN": "a"}), Misfit::Unknown("tasks.0.taskARN".into())),
        (json!({"createdAt": "2026-11-24"}), Misfit::Type("tasks.0.createdAt".into())),
        (json!({"version": "2"}), Misfit::Type("tasks.0.version".into())),
        (json!({"stopCode": "Bored"}), Misfit::Enum("tasks.0.stopCode".into())),
        (json!({"tags": {"key": "a"}}), Misfit::Type("tasks.0.tags".into())),
        (json!({"ephemeralStorage": {}}), Misfit::Missing("tasks.0.ephemeralStorage.sizeInGiB".into())),
    ] {
        assert_eq!(answer(task), Err(misfit));
    }
    assert_eq!(check_answer("Fly", &json!({})), Err(Misfit::Unknown("Fly".into())));
    assert!(check_shape("Tag", &json!({"key": "a", "value": "b"})).is_ok());
    assert!(lists_error("RunTask", "ConflictException") && !lists_error("StopTask", "ConflictException"));
}
