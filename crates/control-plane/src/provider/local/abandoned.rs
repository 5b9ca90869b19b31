//! What a server left that was killed, and that nobody will start again.

use std::io;
use std::path::Path;

use super::entry::find_all;
use super::remove;

/// Ends all that runs of a data folder, and removes it. The caller holds it.
pub async fn remove_abandoned(data: &Path) -> io::Result<()> {
    let instances = data.join("instances");
    if instances.is_dir() {
        let found = tokio::task::spawn_blocking(move || find_all(&instances)).await;
        for found in found.map_err(io::Error::other)?? {
            found.end().await?;
        }
    }
    let data = data.to_owned();
    tokio::task::spawn_blocking(move || remove::tree(&data)).await.map_err(io::Error::other)?
}
