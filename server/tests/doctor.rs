//! The doctor on a whole installation, and on ones that lack something: IAM,
//! EC2, ECR, DynamoDB, S3, SQS and STS by the emulator, which holds everybody
//! to their policies; ECS and quotas by the fake.
#![allow(clippy::unwrap_used)]

mod common;

use common::Client;
use common::cloud::Cloud;
use ecs_fake::Settings;
use serde_json::{Value, json};

/// Asks the emulator as its root.
struct Aws(Client);

impl Aws {
    fn service(&self, name: &str) -> Client {
        let scope = format!(
            "AWS4-HMAC-SHA256 Credential={}/20261125/us-east-1/{name}/aws4_request, SignedHeaders=host, Signature=0",
            emulator::ROOT.0
        );
        self.0.with("authorization", &scope)
    }

    /// The texts of the elements called `wanted` in the answer.
    async fn query(&self, service: &str, action: &str, parameters: &[(&str, &str)], wanted: &str) -> String {
        let mut form = format!("Action={action}");
        for (name, value) in parameters {
            let value: String = value.bytes().map(|byte| format!("%{byte:02X}")).collect();
            form.push_str(&format!("&{name}={value}"));
        }
        let client = self.service(service).with("content-type", "application/x-www-form-urlencoded");
        let reply = client.send("POST", "/", form.into()).await;
        assert_eq!(reply.status, 200, "{action}: {}", reply.text());
        let text = reply.text();
        let after = text.split_once(&format!("<{wanted}>")).map_or("", |(_, rest)| rest);
        after.split('<').next().unwrap().to_owned()
    }

    async fn json(&self, service: &str, target: &str, body: Value) -> Value {
        let client = self.service(service).with("x-amz-target", target);
        let client = client.with("content-type", "application/x-amz-json-1.1");
        let reply = client.send("POST", "/", body.to_string().into()).await;
        assert_eq!(reply.status, 200, "{target}: {}", reply.text());
        reply.json()
    }
}

/// A role that may do what the console does, without what `lacks`.
async fn role(aws: &Aws, name: &str, lacks: &str) -> String {
    let trust = json!({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"}]});
    let made = [("RoleName", name), ("AssumeRolePolicyDocument", &trust.to_string())];
    let arn = aws.query("iam", "CreateRole", &made, "Arn").await;
    let actions: Vec<_> = ["dynamodb:*", "s3:*", "sqs:*", "ecs:*", "iam:PassRole", "sts:AssumeRole"]
        .into_iter()
        .filter(|action| *action != lacks)
        .collect();
    let policy = json!({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": actions, "Resource": "*"}]});
    let put = [("RoleName", name), ("PolicyName", "all"), ("PolicyDocument", &policy.to_string())];
    aws.query("iam", "PutRolePolicy", &put, "").await;
    arn
}

/// A VPC with a private subnet in each of two zones.
struct Network {
    subnets: [String; 2],
    group: String,
    table: String,
    vpc: String,
}

async fn network(aws: &Aws) -> Network {
    let vpc = aws.query("ec2", "CreateVpc", &[("CidrBlock", "10.0.0.0/16")], "vpcId").await;
    let subnet = async |cidr, zone| {
        let made = [("VpcId", vpc.as_str()), ("CidrBlock", cidr), ("AvailabilityZone", zone)];
        aws.query("ec2", "CreateSubnet", &made, "subnetId").await
    };
    let subnets = [subnet("10.0.0.0/20", "us-east-1a").await, subnet("10.0.16.0/20", "us-east-1b").await];
    let table = aws.query("ec2", "CreateRouteTable", &[("VpcId", &vpc)], "routeTableId").await;
    for subnet in &subnets {
        let both = [("RouteTableId", table.as_str()), ("SubnetId", subnet)];
        aws.query("ec2", "AssociateRouteTable", &both, "").await;
    }
    let nat = aws.query("ec2", "CreateNatGateway", &[("SubnetId", &subnets[0])], "natGatewayId").await;
    let out =
        [("RouteTableId", table.as_str()), ("DestinationCidrBlock", "0.0.0.0/0"), ("NatGatewayId", &nat)];
    aws.query("ec2", "CreateRoute", &out, "").await;
    let gateway =
        [("VpcId", vpc.as_str()), ("ServiceName", "com.amazonaws.us-east-1.s3"), ("RouteTableId.1", &table)];
    aws.query("ec2", "CreateVpcEndpoint", &gateway, "").await;
    let made = [("GroupName", "agents"), ("GroupDescription", "agents"), ("VpcId", vpc.as_str())];
    let group = aws.query("ec2", "CreateSecurityGroup", &made, "groupId").await;
    Network { subnets, group, table, vpc }
}

async fn let_in(aws: &Aws, group: &str, from: &str) {
    let rule = [
        ("GroupId", group),
        ("IpPermissions.1.IpProtocol", "tcp"),
        ("IpPermissions.1.FromPort", "7009"),
        ("IpPermissions.1.ToPort", "7009"),
        ("IpPermissions.1.IpRanges.1.CidrIp", from),
    ];
    aws.query("ec2", "AuthorizeSecurityGroupIngress", &rule, "").await;
}

struct Told {
    ok: bool,
    found: Vec<Value>,
}

impl Told {
    fn of(cloud: &Cloud, changes: &[(&str, &str)], principal: &str) -> Self {
        let output = std::process::Command::new(env!("CARGO_BIN_EXE_openclaw-cloud"))
            .args(["doctor", "--aws", "--json", "--principal", principal])
            .envs(cloud.env.iter().cloned())
            .envs(changes.iter().copied())
            .output()
            .unwrap();
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let found = serde_json::from_str(&text).unwrap_or_else(|_| {
            panic!("no JSON: {text}{}", String::from_utf8_lossy(&output.stderr));
        });
        Self { ok: output.status.success(), found }
    }

    fn all(&self, state: &str) -> Vec<String> {
        let so = self.found.iter().filter(|finding| finding["state"] == state);
        so.map(|finding| format!("{}: {} → {}", finding["subject"], finding["text"], finding["mend"]))
            .collect()
    }

    /// Makes sure that it says so, with a mend.
    fn says(&self, state: &str, what: &str) {
        let all = self.all(state);
        let said = all.iter().find(|line| line.contains(what));
        assert!(said.is_some_and(|line| !line.ends_with("→ null")), "«{what}» is not among {all:#?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn it_finds_what_an_installation_lacks_and_says_the_mend() {
    let mut cloud = Cloud::guarded(Settings::default()).await;
    let aws = Aws(Client::at(emulator::guarded().rsplit(':').next().unwrap().parse().unwrap()));
    let Network { subnets, group, table, vpc } = network(&aws).await;
    let_in(&aws, &group, "10.0.0.0/16").await;
    let whole = role(&aws, "console", "").await;
    let agents = role(&aws, "agents", "").await;
    let narrow = role(&aws, "narrow", "ecs:*").await;
    cloud.set("OPENCLAW_CLOUD_SUBNETS", &subnets.join(","));
    cloud.set("OPENCLAW_CLOUD_SECURITY_GROUPS", &group);
    cloud.set("OPENCLAW_CLOUD_AGENT_ROLE", &agents);
    cloud.set("AWS_ENDPOINT_URL_SERVICE_QUOTAS", cloud.fake.endpoint().to_owned().as_str());

    // The bucket and the queue are as bare as they come, but that S3 now blocks what is public.
    let block = format!("/{}?publicAccessBlock", cloud.bucket);
    let unblocked = aws.service("s3").send("DELETE", &block, Vec::new().into()).await;
    assert_eq!(unblocked.status, 204, "{}", unblocked.text());
    let told = Told::of(&cloud, &[], &whole);
    assert!(!told.ok);
    told.says("bad", "has no dead-letter queue");
    told.says("bad", "from becoming public");
    told.says("doubtful", "uploads that were broken off");
    told.says("doubtful", "is in no ECR repository");
    assert_eq!(told.all("bad").len(), 2, "{:#?}", told.all("bad"));
    for good in [
        "may do all that the console does",
        "subnets in us-east-1a, us-east-1b",
        "let in on port 7009",
        "don't overwrite under their own prefix",
        "Fargate Spot: 6 vCPUs at once",
        "its task definitions",
    ] {
        assert!(told.all("good").iter().any(|line| line.contains(good)), "{good}: {:#?}", told.found);
    }

    let told = Told::of(
        &cloud,
        &[
            ("OPENCLAW_CLOUD_BUCKET", "nowhere"),
            ("OPENCLAW_CLOUD_TABLES", "nowhere"),
            ("OPENCLAW_CLOUD_CLUSTER", "nowhere"),
        ],
        &narrow,
    );
    told.says("bad", "may not ecs:RunTask");
    told.says("bad", "nowhere-ledger");
    told.says("bad", "nowhere: ");
    told.says("bad", "the cluster");

    // The network: the world let in, no way out, one that is public, an id of nothing.
    let_in(&aws, &group, "0.0.0.0/0").await;
    let way = [("RouteTableId", table.as_str()), ("DestinationCidrBlock", "0.0.0.0/0")];
    aws.query("ec2", "DeleteRoute", &way, "").await;
    let told = Told::of(&cloud, &[], &whole);
    told.says("bad", "lets the whole world in");
    told.says("bad", "has no way out");
    let internet = aws.query("ec2", "CreateInternetGateway", &[], "internetGatewayId").await;
    let attached = [("InternetGatewayId", internet.as_str()), ("VpcId", vpc.as_str())];
    aws.query("ec2", "AttachInternetGateway", &attached, "").await;
    let public = [way.as_slice(), &[("GatewayId", internet.as_str())]].concat();
    aws.query("ec2", "CreateRoute", &public, "").await;
    Told::of(&cloud, &[], &whole).says("bad", "is public");
    let told = Told::of(&cloud, &[("OPENCLAW_CLOUD_SUBNETS", "subnet-00000000000000000")], &whole);
    told.says("bad", "the subnets: InvalidSubnetID.NotFound");

    // The image: in no repository, then there.
    let ecs = Aws(Client::at(cloud.fake.endpoint().rsplit(':').next().unwrap().parse().unwrap()));
    let image = "000000000000.dkr.ecr.us-east-1.amazonaws.com/openclaw/agent:v1";
    let definition = json!({
        "family": "from-ecr", "networkMode": "awsvpc", "requiresCompatibilities": ["FARGATE"], "cpu": "512",
        "memory": "2048", "containerDefinitions": [{"name": "agent", "image": image}],
    });
    ecs.json("ecs", "AmazonEC2ContainerServiceV20141113.RegisterTaskDefinition", definition).await;
    let changes = [("OPENCLAW_CLOUD_TASK_X86", "from-ecr"), ("OPENCLAW_CLOUD_TASK_ARM", "")];
    let told = Told::of(&cloud, &changes, &whole);
    told.says("bad", "openclaw/agent:v1, which is not there");
    told.says("bad", "`stopTimeout` is not 120");
    told.says("bad", "has no variable OPENCLAW_HOME");
    let ecr = "AmazonEC2ContainerRegistry_V20150921.";
    aws.json("ecr", &format!("{ecr}CreateRepository"), json!({"repositoryName": "openclaw/agent"})).await;
    let manifest = json!({"schemaVersion": 2, "config": {"size": 7}, "layers": []}).to_string();
    let put = json!({"repositoryName": "openclaw/agent", "imageTag": "v1", "imageManifest": manifest});
    aws.json("ecr", &format!("{ecr}PutImage"), put).await;
    assert!(
        Told::of(&cloud, &changes, &whole).all("good").iter().any(|line| line.contains("openclaw/agent:v1"))
    );

    // Somebody's keys that are no keys.
    let told = Told::of(&cloud, &[("AWS_ACCESS_KEY_ID", "AKIAIOSFODNN7EXAMPLE")], &whole);
    assert!(!told.ok);
    assert_eq!(told.found.len(), 1);
    assert_eq!(told.found[0]["subject"], "credentials");
}
