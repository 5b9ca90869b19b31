//! Token buckets.

use std::time::{Duration, Instant};

use ecs_fake::{Operation, Quotas, Rate};
use serde_json::json;

use crate::client::{PATIENT, call, fake, request, request_with};

#[tokio::test]
async fn the_defaults_are_an_accounts() {
    let quotas = Quotas::default();
    assert_eq!(quotas.run_task, Rate { burst: 20, per_second: 20 });
    assert_eq!(quotas.launch_spot, Rate { burst: 100, per_second: 20 });
    assert_eq!(quotas.cluster_resource_read, Rate { burst: 100, per_second: 20 });
}

#[tokio::test]
async fn calls_beyond_the_rate_are_throttled_and_the_bucket_fills_again() {
    let fake = fake(PATIENT).await;
    fake.change(|settings| settings.quotas.cluster_resource_read = Rate { burst: 3, per_second: 10 });
    let began = Instant::now();
    let mut done = 0;
    while done < 6 {
        match call(&fake, "ListTasks", json!({})).await {
            Ok(_) => done += 1,
            Err(refused) => {
                assert_eq!((refused.kind.as_str(), refused.status), ("ThrottlingException", 400));
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        }
    }
    assert!(began.elapsed() >= Duration::from_millis(290), "three at once, three more at ten a second");
    let count = fake.calls().of(Operation::ListTasks);
    assert!(count.done == 6 && count.throttled > 0 && count.failed == 0);
}

#[tokio::test]
async fn launches_have_a_bucket_for_each_provider_and_take_all_or_nothing() {
    let fake = fake(PATIENT).await;
    let still = Rate { burst: 12, per_second: 0 };
    fake.change(|settings| {
        settings.quotas.launch_spot = still;
        settings.quotas.launch_on_demand = still;
    });
    let ten = request_with(json!({"count": 10, "clientToken": "ten"}));
    call(&fake, "RunTask", ten.clone()).await.unwrap();
    assert_eq!(
        call(&fake, "RunTask", request_with(json!({"count": 3}))).await.unwrap_err().kind,
        "ThrottlingException"
    );
    // What launches nothing costs nothing.
    call(&fake, "RunTask", ten).await.unwrap();
    call(&fake, "RunTask", request_with(json!({"count": 2}))).await.unwrap();
    assert!(call(&fake, "RunTask", request()).await.is_err());
    let on_demand = json!({"capacityProviderStrategy": [{"capacityProvider": "FARGATE"}]});
    call(&fake, "RunTask", request_with(on_demand)).await.unwrap();
    assert_eq!(fake.launches().len(), 13);
}

#[tokio::test]
async fn run_task_is_held_to_twenty_calls() {
    let fake = fake(PATIENT).await;
    fake.change(|settings| settings.quotas.run_task = Rate { burst: 20, per_second: 0 });
    let mut throttled = 0;
    for _ in 0..25 {
        throttled += u32::from(call(&fake, "RunTask", request()).await.is_err());
    }
    assert_eq!(throttled, 5);
}
