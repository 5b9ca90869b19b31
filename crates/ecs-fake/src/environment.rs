//! What a task finds around it, and where it differs from Fargate's: tasks
//! share this machine's network and disk.

use std::io;
use std::net::Ipv4Addr;
use std::path::Path;

use crate::state::Run;

/// The variables that say where the instance's agent listens.
const LISTEN: [&str; 2] = ["OPENCLAW_LISTEN", "OPENCLAW_DIRECT"];

/// What the fake says about a task's surroundings.
pub(crate) struct Surroundings<'a> {
    pub endpoint: &'a str,
    pub region: &'a str,
    pub address: Ipv4Addr,
    pub runtime_id: &'a str,
    pub folder: &'a Path,
    pub own_paths: &'a [String],
}

impl Surroundings<'_> {
    /// The environment of a task: what the image and Fargate give, then the
    /// definition's and the call's, which `run` has in this order.
    ///
    /// Two values are not as given. `OPENCLAW_LISTEN` and `OPENCLAW_DIRECT` lose their wildcard for the task's own
    /// address: all tasks listen on one machine. A path of `own_paths` becomes one in the task's folder.
    ///
    /// Fargate sets `AWS_CONTAINER_CREDENTIALS_RELATIVE_URI`, which means a path on 169.254.170.2. That
    /// address is not to be had here, so the endpoint's `…_FULL_URI` stands for it: SDKs take either.
    pub fn environment(&self, run: &Run) -> Vec<(String, String)> {
        let home = self.folder.to_string_lossy();
        let metadata = format!("{}/v4/{}", self.endpoint, self.runtime_id);
        let mut all = vec![
            ("PATH".to_owned(), "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin".to_owned()),
            ("HOME".to_owned(), home.into_owned()),
            ("HOSTNAME".to_owned(), host_name(self.address)),
            ("AWS_EXECUTION_ENV".to_owned(), "AWS_ECS_FARGATE".to_owned()),
            ("AWS_REGION".to_owned(), self.region.to_owned()),
            ("AWS_DEFAULT_REGION".to_owned(), self.region.to_owned()),
            ("ECS_CONTAINER_METADATA_URI_V4".to_owned(), metadata),
        ];
        if run.task_role.is_some() {
            let uri = format!("{}/v2/credentials/{}", self.endpoint, run.credentials);
            all.push(("AWS_CONTAINER_CREDENTIALS_FULL_URI".to_owned(), uri));
        }
        for (name, value) in &run.environment {
            all.retain(|(known, _)| known != name);
            all.push((name.clone(), self.real(name, value)));
        }
        all
    }

    fn real(&self, name: &str, value: &str) -> String {
        if LISTEN.contains(&name) {
            for wildcard in ["0.0.0.0:", "[::]:"] {
                if let Some(port) = value.strip_prefix(wildcard) {
                    return format!("{}:{port}", self.address);
                }
            }
        }
        let path = Path::new(value);
        let own = self.own_paths.iter().any(|own| path.starts_with(own));
        if own { self.inside(path).to_string_lossy().into_owned() } else { value.to_owned() }
    }

    fn inside(&self, path: &Path) -> std::path::PathBuf {
        self.folder.join(path.strip_prefix("/").unwrap_or(path))
    }

    /// Makes the folder and what is to be in it.
    pub fn make(&self) -> io::Result<()> {
        std::fs::create_dir_all(self.folder)?;
        self.own_paths.iter().try_for_each(|own| std::fs::create_dir_all(self.inside(Path::new(own))))
    }
}

/// As a VPC names it.
pub(crate) fn host_name(address: Ipv4Addr) -> String {
    let [a, b, c, d] = address.octets();
    format!("ip-{a}-{b}-{c}-{d}.ec2.internal")
}
