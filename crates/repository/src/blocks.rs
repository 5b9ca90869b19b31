//! Reads packs by the block, so that the many small blobs that lie side by side
//! cost one request, and memory stays bounded whatever is read.

use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, PoisonError};

use bytes::Bytes;

use crate::object::{Kind, ObjectError, ObjectName, ObjectStore};

/// Bytes a block. Reads of this size or more go to the store directly.
const BLOCK: u64 = 1024 * 1024;
/// Blocks kept: 16 MiB.
const KEPT: usize = 16;

#[derive(Default)]
pub(crate) struct Blocks(Mutex<Kept>);

#[derive(Default)]
struct Kept {
    /// The packs' sizes, as listed at the first read.
    sizes: Option<HashMap<ObjectName, u64>>,
    /// The latest blocks read, the newest last.
    blocks: VecDeque<(ObjectName, u64, Bytes)>,
}

impl Blocks {
    /// `length` bytes of a pack from `offset`.
    pub fn read(
        &self,
        store: &dyn ObjectStore,
        name: &ObjectName,
        offset: u64,
        length: u64,
    ) -> Result<Bytes, ObjectError> {
        // The lock is held while a block is fetched: a second reader most often
        // wants the same one.
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let size = kept.size(store, name)?;
        let end = offset.saturating_add(length);
        if length >= BLOCK || size.is_none_or(|size| end > size) {
            drop(kept);
            return store.read_range(Kind::Pack, name, offset, length);
        }
        let (first, last) = (offset / BLOCK, end.saturating_sub(1) / BLOCK);
        let mut joined = Vec::new();
        for number in first..=last {
            let block = kept.block(store, name, number, size.unwrap_or_default())?;
            let within =
                |at: u64| usize::try_from(at.saturating_sub(number * BLOCK).min(BLOCK)).unwrap_or_default();
            let part = block.slice(within(offset)..within(end));
            if first == last {
                return Ok(part);
            }
            joined.extend_from_slice(&part);
        }
        Ok(joined.into())
    }
}

impl Kept {
    /// A pack's size; `None` for one that came later.
    fn size(&mut self, store: &dyn ObjectStore, name: &ObjectName) -> Result<Option<u64>, ObjectError> {
        if self.sizes.is_none() {
            let packs = store.list(Kind::Pack)?;
            self.sizes = Some(packs.into_iter().map(|pack| (pack.name, pack.size)).collect());
        }
        Ok(self.sizes.as_ref().and_then(|sizes| sizes.get(name)).copied())
    }

    fn block(
        &mut self,
        store: &dyn ObjectStore,
        name: &ObjectName,
        number: u64,
        size: u64,
    ) -> Result<Bytes, ObjectError> {
        let known = self.blocks.iter().position(|(of, n, _)| *n == number && of == name);
        if let Some(block) = known.and_then(|at| self.blocks.remove(at)) {
            let content = block.2.clone();
            self.blocks.push_back(block);
            return Ok(content);
        }
        if self.blocks.len() >= KEPT {
            self.blocks.pop_front();
        }
        let length = BLOCK.min(size - number * BLOCK);
        let content = store.read_range(Kind::Pack, name, number * BLOCK, length)?;
        self.blocks.push_back((name.clone(), number, content.clone()));
        Ok(content)
    }
}
