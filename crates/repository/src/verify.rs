//! Makes sure that a snapshot can be brought back, by reading all of it. The
//! library's own check panics now and then when it reads data: it takes apart an
//! index that its threads may still hold.

use std::collections::HashSet;

use rustic_core::repofile::BlobType;
use rustic_core::{Id, IndexedFullStatus, Repository, RusticResult, TreeId};

use crate::error::{Error, Result};
use crate::object::ObjectName;
use crate::watch::Watch;

/// Reads every folder and every part of a file once, and compares its hash.
pub(crate) fn verify(repository: &Repository<IndexedFullStatus>, watch: &Watch, tree: TreeId) -> Result<()> {
    let read = |kind: BlobType, id: Id| {
        let told = |error: &_| watch.explain(error);
        let blob = repository.cat_blob(kind, id.to_hex().as_str()).map_err(|error| told(&error))?;
        let name: Option<ObjectName> = id.to_hex().as_str().parse().ok();
        match name {
            Some(name) if name.is_of(&[blob]) => Ok(()),
            _ => Err(Error::Damaged(format!("{kind:?} {id} has another content"))),
        }
    };
    let mut seen = HashSet::new();
    let mut trees = vec![tree];
    while let Some(tree) = trees.pop() {
        if !seen.insert(*tree) {
            continue;
        }
        read(BlobType::Tree, *tree)?;
        let nodes: RusticResult<_> = repository.get_tree(&tree);
        for node in nodes.map_err(|error| watch.explain(&error))?.nodes {
            trees.extend(node.subtree);
            for part in node.content.into_iter().flatten() {
                if seen.insert(*part) {
                    read(BlobType::Data, *part)?;
                }
            }
        }
    }
    Ok(())
}
