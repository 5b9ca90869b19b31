//! Tables, bucket, queue: that they are there, and set as they should be.

use aws_config::SdkConfig;
use aws_sdk_dynamodb::types::PointInTimeRecoveryStatus;
use aws_sdk_sqs::types::QueueAttributeName;
use tokio::runtime::Handle;

use super::account::told;
use super::{Finding, Findings};
use crate::aws::Installation;
use crate::events::sqs::Queue;
use crate::store::dynamodb::{self, Dynamo, Lanes};

pub async fn tables(sdk: &SdkConfig, installation: &Installation) -> Vec<Finding> {
    let mut found = Findings::of("tables");
    let config = dynamodb::Config { tables: installation.tables.clone(), lanes: Lanes::ONE };
    if let Err(error) = Dynamo::open(sdk, &config).await {
        let mend = "deploy the template, or: openclaw-cloud aws create-tables";
        error.to_string().lines().for_each(|line| found.bad(line, mend));
        return found.all;
    }
    let client = aws_sdk_dynamodb::Client::new(sdk);
    let [ledger, expiring] = installation.tables.names();
    let recovery = match client.describe_continuous_backups().table_name(&ledger).send().await {
        Ok(answer) => answer
            .continuous_backups_description
            .and_then(|backups| backups.point_in_time_recovery_description)
            .and_then(|recovery| recovery.point_in_time_recovery_status),
        Err(error) => {
            found.doubtful(format!("{ledger}: its backups could not be looked at: {}", told(&error)), "none");
            None
        }
    };
    match recovery {
        Some(PointInTimeRecoveryStatus::Enabled) => {
            found.good(format!("{ledger} (recoverable to any second of 35 days) and {expiring}"));
        }
        Some(_) => found.bad(
            format!("{ledger} can't be recovered to an earlier time"),
            format!(
                "aws dynamodb update-continuous-backups --table-name {ledger} \
                 --point-in-time-recovery-specification PointInTimeRecoveryEnabled=true"
            ),
        ),
        None => found.good(format!("{ledger} and {expiring}")),
    }
    found.all
}

pub async fn bucket(sdk: &SdkConfig, installation: &Installation) -> Vec<Finding> {
    let mut found = Findings::of("bucket");
    let name = &installation.bucket;
    let bucket = installation.bucket(sdk, Handle::current());
    if let Err(error) = bucket.check().await {
        found.bad(format!("{name}: {error}"), "check its name and region, and the rights on it");
        return found.all;
    }
    match bucket.prove("agents/doctor/", "agents/doctor-other/").await {
        Ok(()) => found.good(format!(
            "{name}: an instance's keys write, read and don't overwrite under their own prefix, and reach no other"
        )),
        Err(why) => found.bad(
            format!("{name}: {why}"),
            format!("compare {} and the bucket's policy with the template's", installation.agent_role),
        ),
    }
    if bucket.keeps_unfinished().await {
        let mend = "add a lifecycle rule: AbortIncompleteMultipartUpload after 1 day";
        found.doubtful(format!("{name} keeps, and bills, uploads that were broken off"), mend);
    }
    if bucket.may_be_public().await {
        let mend = format!(
            "aws s3api put-public-access-block --bucket {name} --public-access-block-configuration \
             BlockPublicAcls=true,IgnorePublicAcls=true,BlockPublicPolicy=true,RestrictPublicBuckets=true"
        );
        found.bad(format!("nothing keeps {name} from becoming public"), mend);
    }
    found.all
}

pub async fn queue(sdk: &SdkConfig, installation: &Installation) -> Vec<Finding> {
    let mut found = Findings::of("queue");
    let url = &installation.queue;
    if let Err(why) = Queue::new(sdk, url.clone()).check().await {
        found.bad(why, "check its URL and region, and the rights on it");
        return found.all;
    }
    let client = aws_sdk_sqs::Client::new(sdk);
    let asked = client.get_queue_attributes().queue_url(url).attribute_names(QueueAttributeName::All);
    let attributes = asked.send().await.ok().and_then(|answer| answer.attributes).unwrap_or_default();
    if attributes.contains_key(&QueueAttributeName::RedrivePolicy) {
        found.good(format!("{url}, with a dead-letter queue"));
    } else {
        found.bad(
            format!("{url} has no dead-letter queue: what can't be read comes back for ever"),
            "set its RedrivePolicy",
        );
    }
    let waiting = attributes.get(&QueueAttributeName::ApproximateNumberOfMessages);
    let waiting: u64 = waiting.and_then(|count| count.parse().ok()).unwrap_or_default();
    if waiting > 1000 {
        found.doubtful(format!("{waiting} events wait in it"), "does a console run that reads it?");
    }
    found.all
}
