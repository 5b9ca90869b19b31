//! Commands beside `serve`.

use anyhow::Context as _;
use control_plane::embedded;

use crate::config::AddUser;
use crate::serve::{ADDRESS, sign_in_link};

/// Prints a one-time link. Works while a server runs: they share the ledger.
pub async fn add_user(options: AddUser) -> anyhow::Result<()> {
    let data = options.data.folder()?;
    let identity = embedded::identity(&data)?;
    let origin = match options.origin {
        Some(origin) => origin,
        None => std::fs::read_to_string(data.join(ADDRESS))
            .context("no server ran here yet: name the console's address with --origin")?,
    };
    let user = identity.ensure_user(&options.name).await?;
    let link = identity.sign_in_link(user.id).await?;
    println!("sign-in link for {}: {}", user.name, sign_in_link(&origin, link.expose()));
    Ok(())
}
