//! Options of the AWS engine. They are read whole before anything is opened,
//! so that everything that is missing is named at once.

use std::fmt;
use std::net::SocketAddr;

use clap::{Args, ValueEnum};
use control_plane::aws::{DirectUrl, FargateConfig, Installation, OnDemand};
use control_plane::plane::Keys;
use control_plane::store::dynamodb::TablePrefix;
use domain::protocol::{self, Certificate};
use domain::spend::Installation as Besides;

#[derive(Debug, Args)]
#[command(next_help_heading = "AWS (--engine aws); region and credentials as AWS's own tools find them")]
pub struct Aws {
    /// What the names of the ledger's tables begin with.
    #[arg(long, env = "OPENCLAW_CLOUD_TABLES", value_name = "PREFIX")]
    tables: Option<String>,
    /// The snapshots' bucket.
    #[arg(long, env = "OPENCLAW_CLOUD_BUCKET")]
    bucket: Option<String>,
    /// The role that instances get, narrowed to their own part of the bucket.
    #[arg(long, env = "OPENCLAW_CLOUD_AGENT_ROLE", value_name = "ARN")]
    agent_role: Option<String>,
    /// The SQS queue of ECS's events.
    #[arg(long, env = "OPENCLAW_CLOUD_QUEUE", value_name = "URL")]
    queue: Option<String>,
    /// The ECS cluster, of this installation alone.
    #[arg(long, env = "OPENCLAW_CLOUD_CLUSTER")]
    cluster: Option<String>,
    /// The agents' task definition for x86.
    #[arg(long, env = "OPENCLAW_CLOUD_TASK_X86", value_name = "FAMILY")]
    task_x86: Option<String>,
    /// The same for ARM, tried where x86 finds no room.
    #[arg(long, env = "OPENCLAW_CLOUD_TASK_ARM", value_name = "FAMILY")]
    task_arm: Option<String>,
    /// The container in them.
    #[arg(long, env = "OPENCLAW_CLOUD_CONTAINER", default_value = "agent")]
    container: String,
    /// Private subnets of the agents.
    #[arg(long, env = "OPENCLAW_CLOUD_SUBNETS", value_delimiter = ',')]
    subnets: Vec<String>,
    /// Security groups of the agents.
    #[arg(long, env = "OPENCLAW_CLOUD_SECURITY_GROUPS", value_delimiter = ',')]
    security_groups: Vec<String>,
    /// Address and port for the agents' requests, in the agents' network only.
    #[arg(long, env = "OPENCLAW_CLOUD_INSTANCES_LISTEN", default_value = "0.0.0.0:7008")]
    pub instances_listen: SocketAddr,
    /// Where agents find that: `https://…`, or `http://host:port` in a network of one's own.
    #[arg(long, env = "OPENCLAW_CLOUD_INSTANCES_URL", value_name = "URL")]
    instances_url: Option<String>,
    /// The port that agents serve on.
    #[arg(long, env = "OPENCLAW_CLOUD_AGENT_PORT", default_value = "7009")]
    agent_port: u16,
    /// Where browsers reach agents without the console: `wss://{ipv6}.agents.example.org`,
    /// with the agent's address, hyphens in it, in the place of `{ipv6}` or
    /// `{ipv4}`. Without it every terminal goes through the console.
    #[arg(long, env = "OPENCLAW_CLOUD_DIRECT_URL", value_name = "URL")]
    direct_url: Option<String>,
    /// The port that agents listen on for browsers: the URL's, unless a
    /// balancer stands before them.
    #[arg(long, env = "OPENCLAW_CLOUD_DIRECT_PORT", value_name = "PORT")]
    direct_port: Option<u16>,
    /// The certificate for those names, as PEM, the server's own first. Without
    /// it a balancer must stand before the agents.
    #[arg(long, env = "OPENCLAW_CLOUD_DIRECT_CERTIFICATE", value_name = "PEM")]
    direct_certificate: Option<String>,
    /// Its key, as PEM, from Secrets Manager.
    #[arg(long, env = "OPENCLAW_CLOUD_DIRECT_KEY", hide_env_values = true, value_name = "PEM")]
    direct_key: Option<Secret>,
    /// Whether agents that find no room on Spot run on demand, at some three times the price.
    #[arg(long, env = "OPENCLAW_CLOUD_ON_DEMAND", default_value = "never")]
    on_demand: OnDemandPolicy,
    /// Launches a second that the account's quota allows.
    #[arg(long, env = "OPENCLAW_CLOUD_LAUNCH_RATE", default_value = "20")]
    launch_rate: u32,
    /// Launches at once that it allows: `RunTask`'s bucket holds 20, where Fargate's holds 100.
    /// A few less than that, since calls that leave evenly arrive unevenly.
    #[arg(long, env = "OPENCLAW_CLOUD_LAUNCH_BURST", default_value = "15")]
    launch_burst: u32,
    /// NAT gateways of the agents' network: what they and their addresses cost
    /// stands beside the fleet's month.
    #[arg(long, env = "OPENCLAW_CLOUD_NAT_GATEWAYS", default_value = "0", value_name = "COUNT")]
    nat_gateways: u32,
    /// The key that signs tickets: 64 hexadecimal digits, from Secrets Manager
    /// by the task definition's `secrets`.
    #[arg(long, env = "OPENCLAW_CLOUD_TICKET_KEY", hide_env_values = true, value_name = "HEX")]
    ticket_key: Option<Secret>,
    /// The key that snapshots' keys are derived from: the same form and source.
    /// Without it no snapshot can be read again.
    #[arg(long, env = "OPENCLAW_CLOUD_REPOSITORY_KEY", hide_env_values = true, value_name = "HEX")]
    repository_key: Option<Secret>,
}

/// An option's value that is not to be shown.
#[derive(Clone)]
struct Secret(String);

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

impl From<String> for Secret {
    fn from(text: String) -> Self {
        Self(text)
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum OnDemandPolicy {
    Never,
    WhenSpotIsFull,
}

/// Options of what a process that serves pages alone never does.
const NOT_FOR_WEB: [&str; 6] =
    ["bucket", "agent-role", "queue", "task-x86", "instances-url", "repository-key"];

impl Aws {
    /// For pages alone (`web`) what only instances and their snapshots need may be left out.
    ///
    /// # Errors
    /// A line for each option that is missing or makes no sense.
    pub fn whole(&self, web: bool) -> anyhow::Result<Installation> {
        let mut faults = Vec::new();
        let mut need = |value: &Option<String>, option: &str| {
            let value = value.clone().filter(|value| !value.is_empty());
            if value.is_none() && !(web && NOT_FOR_WEB.contains(&option)) {
                faults.push(format!("--{option} is missing"));
            }
            value.unwrap_or_default()
        };
        let tables = need(&self.tables, "tables");
        let bucket = need(&self.bucket, "bucket");
        let agent_role = need(&self.agent_role, "agent-role");
        let queue = need(&self.queue, "queue");
        let cluster = need(&self.cluster, "cluster");
        let x86 = need(&self.task_x86, "task-x86");
        let control = need(&self.instances_url, "instances-url");
        let mut key = |value: &Option<Secret>, option: &str| {
            let Some(Secret(text)) = value else {
                if !(web && NOT_FOR_WEB.contains(&option)) {
                    faults.push(format!("--{option} is missing"));
                }
                return [0; 32];
            };
            protocol::from_hex(text).unwrap_or_else(|| {
                faults.push(format!("--{option} is not 64 hexadecimal digits"));
                [0; 32]
            })
        };
        let keys = Keys {
            ticket: key(&self.ticket_key, "ticket-key"),
            repository: key(&self.repository_key, "repository-key"),
        };
        for (values, option) in [(&self.subnets, "subnets"), (&self.security_groups, "security-groups")] {
            if values.iter().all(String::is_empty) && !web {
                faults.push(format!("--{option} is missing"));
            }
        }
        let url_fits = control.starts_with("https://") || control.starts_with("http://");
        if !control.is_empty() && !url_fits {
            faults.push("--instances-url is neither http:// nor https://".to_owned());
        }
        if !agent_role.is_empty() && !agent_role.starts_with("arn:") {
            faults.push("--agent-role is no ARN".to_owned());
        }
        let direct = self.direct_url.as_deref().filter(|url| !url.is_empty()).and_then(|url| {
            let url = url.parse::<DirectUrl>().map_err(|error| faults.push(format!("--direct-url: {error}")));
            Some(url.ok()?.listening_on(self.direct_port))
        });
        let certificate = match (&self.direct_certificate, &self.direct_key) {
            (Some(chain), Some(Secret(key))) => {
                Some(Certificate { chain: chain.clone(), key: protocol::Secret::new(key.clone()) })
            }
            (None, None) => None,
            _ => {
                faults.push("--direct-certificate and --direct-key go together".to_owned());
                None
            }
        };
        if certificate.is_some() && self.direct_url.is_none() {
            faults.push("--direct-url is missing, for which there is a certificate".to_owned());
        }
        let tables = tables.parse::<TablePrefix>().map_err(|error| {
            if !tables.is_empty() {
                faults.push(format!("--tables: {error}"));
            }
        });
        let (Ok(tables), true) = (tables, faults.is_empty()) else {
            anyhow::bail!("the AWS engine's configuration:\n  {}", faults.join("\n  "));
        };
        // As the SDK itself looks for it; the agents are told.
        let endpoint = |name: &str| std::env::var(name).ok().filter(|url| !url.is_empty());
        Ok(Installation {
            tables,
            bucket,
            s3_endpoint: endpoint("AWS_ENDPOINT_URL_S3").or_else(|| endpoint("AWS_ENDPOINT_URL")),
            agent_role,
            queue,
            fargate: FargateConfig {
                cluster,
                x86,
                arm: self.task_arm.clone().filter(|family| !family.is_empty()),
                container: self.container.clone(),
                subnets: self.subnets.clone(),
                security_groups: self.security_groups.clone(),
                control,
                port: self.agent_port,
                direct,
                on_demand: match self.on_demand {
                    OnDemandPolicy::Never => OnDemand::Never,
                    OnDemandPolicy::WhenSpotIsFull => OnDemand::WhenSpotIsFull,
                },
                launches: (self.launch_rate, self.launch_burst),
            },
            besides: Besides { nat_gateways: self.nat_gateways },
            keys,
            certificate,
        })
    }
}
