//! The folder of instances, read beside the server that keeps it.

use std::io;
use std::path::PathBuf;

use async_trait::async_trait;
use domain::agent::ProviderName;
use domain::id::InstanceId;

use super::folder::Folder;
use crate::provider::ProviderError;
use crate::provider::witness::{Run, Witness};

/// What runs on this machine. An ended run is known until its folder is
/// removed, as it is once its agent sleeps.
pub struct Sandboxes {
    instances: PathBuf,
}

impl Sandboxes {
    /// Those of a server's data folder.
    pub fn of(data: &std::path::Path) -> Self {
        Self { instances: data.join("instances") }
    }
}

#[async_trait]
impl Witness for Sandboxes {
    fn name(&self) -> ProviderName {
        ProviderName::Local
    }

    async fn runs(&self) -> Result<Vec<Run>, ProviderError> {
        let instances = self.instances.clone();
        let read = tokio::task::spawn_blocking(move || read(instances)).await;
        let read = read.unwrap_or_else(|error| Err(io::Error::other(error)));
        read.map_err(|error| ProviderError::Busy(format!("the instances' folder: {error}")))
    }
}

fn read(instances: PathBuf) -> io::Result<Vec<Run>> {
    let items = match std::fs::read_dir(instances) {
        Ok(items) => items,
        // Nothing ever ran here.
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    let mut runs = Vec::new();
    for item in items {
        let item = item?;
        let name = item.file_name().to_string_lossy().into_owned();
        let (Ok(instance), folder) = (InstanceId::from_file_name(&name), Folder::at(item.path())) else {
            continue;
        };
        let Some(spec) = folder.spec().filter(|spec| spec.instance == instance) else { continue };
        let ended_at = folder.ended().map(|ended| ended.at);
        // Neither noted as ended nor there: a launch under way, or its end is yet to be noted.
        if ended_at.is_none() && folder.find_process(&spec).is_none() {
            continue;
        }
        let instance = Some(instance);
        runs.push(Run { name, instance, started_at: spec.at, ended_at, purchase: None });
    }
    Ok(runs)
}
