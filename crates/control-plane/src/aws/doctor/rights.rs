//! Whether the console's role may do what the console does: IAM is asked,
//! nothing is tried.

use aws_config::SdkConfig;
use serde_json::json;

use super::account::{Caller, definitions_roles};
use super::ask::{Asks, IAM, Refused, texts};
use super::{Finding, Findings};
use crate::aws::Installation;

/// Rights on one thing.
struct Need {
    actions: &'static [&'static str],
    resources: Vec<String>,
}

const LEDGER: &[&str] = &[
    "dynamodb:DescribeTable",
    "dynamodb:DescribeTimeToLive",
    "dynamodb:GetItem",
    "dynamodb:BatchGetItem",
    "dynamodb:Query",
    "dynamodb:PutItem",
    "dynamodb:UpdateItem",
    "dynamodb:DeleteItem",
];

fn needs(installation: &Installation, caller: &Caller, region: &str, execution: Vec<String>) -> Vec<Need> {
    let partition = caller.arn.split(':').nth(1).unwrap_or("aws");
    let (account, fargate) = (&caller.account, &installation.fargate);
    let of = |service: &str, what: &str| format!("arn:{partition}:{service}:{region}:{account}:{what}");
    let bucket = format!("arn:{partition}:s3:::{}", installation.bucket);
    let cluster = fargate.cluster.rsplit('/').next().unwrap_or_default();
    let definition = |family: &str| match family.starts_with("arn:") {
        true => family.to_owned(),
        false if family.contains(':') => of("ecs", &format!("task-definition/{family}")),
        false => of("ecs", &format!("task-definition/{family}:1")),
    };
    let queue = installation.queue.rsplit('/').next().unwrap_or_default();
    let mut definitions = vec![definition(&fargate.x86)];
    definitions.extend(fargate.arm.as_deref().map(definition));
    let task = of("ecs", &format!("task/{cluster}/0123456789abcdef0123456789abcdef"));
    vec![
        Need {
            actions: LEDGER,
            resources: installation
                .tables
                .names()
                .map(|table| of("dynamodb", &format!("table/{table}")))
                .to_vec(),
        },
        Need { actions: &["s3:ListBucket"], resources: vec![bucket.clone()] },
        Need {
            actions: &["s3:GetObject", "s3:DeleteObject"],
            resources: vec![format!("{bucket}/agents/0000000000000000/config")],
        },
        Need { actions: &["sts:AssumeRole"], resources: vec![installation.agent_role.clone()] },
        Need {
            actions: &["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"],
            resources: vec![of("sqs", queue)],
        },
        Need { actions: &["ecs:RunTask"], resources: definitions },
        Need { actions: &["ecs:StopTask", "ecs:DescribeTasks", "ecs:TagResource"], resources: vec![task] },
        Need {
            actions: &["ecs:DescribeClusters"],
            resources: vec![of("ecs", &format!("cluster/{cluster}"))],
        },
        Need { actions: &["ecs:ListTasks", "ecs:DescribeTaskDefinition"], resources: vec!["*".to_owned()] },
        Need { actions: &["iam:PassRole"], resources: execution },
    ]
}

/// What conditions of a narrow role ask of the request.
fn context(installation: &Installation, caller: &Caller, region: &str) -> Vec<(&'static str, String)> {
    let partition = caller.arn.split(':').nth(1).unwrap_or("aws");
    let cluster = installation.fargate.cluster.rsplit('/').next().unwrap_or_default();
    let cluster = format!("arn:{partition}:ecs:{region}:{}:cluster/{cluster}", caller.account);
    vec![
        ("iam:PassedToService", "ecs-tasks.amazonaws.com".to_owned()),
        ("ecs:cluster", cluster),
        ("ecs:CreateAction", "RunTask".to_owned()),
        ("aws:SecureTransport", "true".to_owned()),
    ]
}

pub async fn look(
    asks: &Asks,
    sdk: &SdkConfig,
    installation: &Installation,
    caller: &Caller,
    principal: Option<&str>,
) -> Vec<Finding> {
    let mut found = Findings::of("rights");
    let principal = match principal {
        Some(principal) => principal.to_owned(),
        None => match own(asks, &caller.arn).await {
            Ok(principal) => principal,
            Err(refused) => {
                found.unseen(&format!("the rights of {}", caller.arn), &refused);
                return found.all;
            }
        },
    };
    if principal.ends_with(":root") {
        found.doubtful(
            "these are the account's root credentials, which may do everything",
            "name the console's role: --principal ARN",
        );
        return found.all;
    }
    let execution = definitions_roles(sdk, installation).await;
    let context = context(installation, caller, &asks.region);
    let mut denied = Vec::new();
    for need in needs(installation, caller, &asks.region, execution) {
        match simulate(asks, &principal, &need, &context).await {
            Ok(refusals) => denied.extend(refusals),
            Err(refused) => {
                found.unseen(&format!("the rights of {principal}"), &refused);
                return found.all;
            }
        }
    }
    if denied.is_empty() {
        found.good(format!("{principal} may do all that the console does"));
    }
    for (action, resource) in denied {
        let statement = json!({"Effect": "Allow", "Action": action, "Resource": resource});
        found.bad(
            format!("{principal} may not {action} on {resource}"),
            format!("add to its policy, or look for what denies it: {statement}"),
        );
    }
    found.all
}

/// What IAM knows the caller as: of a session, its role, whose path the session's name lacks.
async fn own(asks: &Asks, arn: &str) -> Result<String, Refused> {
    let Some(session) = arn.split(":assumed-role/").nth(1) else { return Ok(arn.to_owned()) };
    let role = session.split('/').next().unwrap_or_default();
    let answer = asks.query(IAM, "GetRole", &[("RoleName".to_owned(), role.to_owned())]).await?;
    Ok(texts(&answer, "Arn").into_iter().next().unwrap_or_else(|| arn.to_owned()))
}

/// What of a need is denied.
async fn simulate(
    asks: &Asks,
    principal: &str,
    need: &Need,
    context: &[(&str, String)],
) -> Result<Vec<(String, String)>, Refused> {
    let mut parameters = vec![("PolicySourceArn".to_owned(), principal.to_owned())];
    for (n, action) in (1..).zip(need.actions) {
        parameters.push((format!("ActionNames.member.{n}"), (*action).to_owned()));
    }
    for (n, resource) in (1..).zip(&need.resources) {
        parameters.push((format!("ResourceArns.member.{n}"), resource.clone()));
    }
    for (n, (key, value)) in (1..).zip(context) {
        let entry = |name: &str| format!("ContextEntries.member.{n}.{name}");
        parameters.push((entry("ContextKeyName"), (*key).to_owned()));
        parameters.push((entry("ContextKeyType"), "string".to_owned()));
        parameters.push((entry("ContextKeyValues.member.1"), value.clone()));
    }
    let answer = asks.query(IAM, "SimulatePrincipalPolicy", &parameters).await?;
    Ok(denied(&answer))
}

fn denied(answer: &str) -> Vec<(String, String)> {
    let Ok(document) = roxmltree::Document::parse(answer) else { return Vec::new() };
    let results = document.descendants().filter(|node| {
        let parent = node.parent_element().map(|parent| parent.tag_name().name());
        node.tag_name().name() == "member" && parent == Some("EvaluationResults")
    });
    let of = |node: &roxmltree::Node<'_, '_>, name: &str| {
        let child = node.children().find(|child| child.tag_name().name() == name);
        child.and_then(|child| child.text()).unwrap_or_default().to_owned()
    };
    results
        .filter(|result| of(result, "EvalDecision") != "allowed")
        .map(|result| (of(&result, "EvalActionName"), of(&result, "EvalResourceName")))
        .collect()
}
