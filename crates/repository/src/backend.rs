//! An [`ObjectStore`] as the library's backend.

use std::sync::Arc;

use bytes::Bytes;
use rustic_core::{
    BytesList, ErrorKind, FileType, Id, ReadBackend, RepositoryBackends, RusticError, RusticResult,
    WriteBackend,
};

use crate::blocks::Blocks;
use crate::object::{InvalidName, Kind, Object, ObjectError, ObjectName, ObjectStore};
use crate::watch::Watch;

struct Backend {
    store: Arc<dyn ObjectStore>,
    watch: Arc<Watch>,
    blocks: Blocks,
}

/// The store as the library wants it, for one operation.
pub(crate) fn backends(store: Arc<dyn ObjectStore>, watch: Arc<Watch>) -> RepositoryBackends {
    RepositoryBackends::new(Arc::new(Backend { store, watch, blocks: Blocks::default() }), None)
}

fn kind(tpe: FileType) -> Kind {
    match tpe {
        FileType::Config => Kind::Config,
        FileType::Index => Kind::Index,
        FileType::Key => Kind::Key,
        FileType::Snapshot => Kind::Snapshot,
        FileType::Pack => Kind::Pack,
    }
}

fn name(id: &Id) -> RusticResult<ObjectName> {
    id.to_hex().as_str().parse().map_err(|error: InvalidName| {
        RusticError::with_source(ErrorKind::Internal, "an id was no name", error)
    })
}

impl Backend {
    fn told<T>(&self, result: Result<T, ObjectError>) -> RusticResult<T> {
        result.map_err(|error| {
            self.watch.refused(&error);
            RusticError::with_source(ErrorKind::Backend, error.to_string(), error)
        })
    }
}

impl ReadBackend for Backend {
    fn location(&self) -> String {
        "repository".to_owned()
    }

    fn list_with_size(&self, tpe: FileType) -> RusticResult<Vec<(Id, u32)>> {
        let objects = self.told(self.store.list(kind(tpe)))?;
        let row =
            |object: Object| Some((object.name.as_str().parse().ok()?, u32::try_from(object.size).ok()?));
        Ok(objects.into_iter().filter_map(row).collect())
    }

    fn read_full(&self, tpe: FileType, id: &Id) -> RusticResult<Bytes> {
        self.told(self.store.read(kind(tpe), &name(id)?))
    }

    fn read_partial(
        &self,
        tpe: FileType,
        id: &Id,
        _cacheable: bool,
        offset: u32,
        length: u32,
    ) -> RusticResult<Bytes> {
        let (name, offset, length) = (name(id)?, offset.into(), length.into());
        self.told(match kind(tpe) {
            Kind::Pack => self.blocks.read(&*self.store, &name, offset, length),
            other => self.store.read_range(other, &name, offset, length),
        })
    }

    fn warmup_path(&self, tpe: FileType, id: &Id) -> String {
        format!("{}/{}", kind(tpe), id.to_hex().as_str())
    }
}

impl WriteBackend for Backend {
    fn write_bytes(&self, tpe: FileType, id: &Id, _cacheable: bool, content: BytesList) -> RusticResult<()> {
        // The library leaves out what it can't read and goes on. A snapshot
        // with a hole must not come to be.
        if tpe == FileType::Snapshot && !self.watch.complete() {
            return Err(RusticError::new(ErrorKind::InputOutput, "the state could not be read in full"));
        }
        self.told(self.store.write(kind(tpe), &name(id)?, content.slice()))
    }

    fn remove(&self, tpe: FileType, id: &Id, _cacheable: bool) -> RusticResult<()> {
        self.told(self.store.remove(kind(tpe), &name(id)?))
    }
}
