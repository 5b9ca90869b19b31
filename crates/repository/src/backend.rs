//! An [`ObjectStore`] as the library's backend.

use std::sync::Arc;

use bytes::Bytes;
use rustic_core::{
    BytesList, ErrorKind, FileType, Id, ReadBackend, RepositoryBackends, RusticError, RusticResult,
    WriteBackend,
};

use crate::object::{Kind, ObjectError, ObjectName, ObjectStore};

struct Backend(Arc<dyn ObjectStore>);

pub(crate) fn backends(store: Arc<dyn ObjectStore>) -> RepositoryBackends {
    RepositoryBackends::new(Arc::new(Backend(store)), None)
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
    id.to_hex().as_str().parse().map_err(|error: crate::object::InvalidName| {
        RusticError::with_source(ErrorKind::Internal, "an id was no name", error)
    })
}

fn failed(error: ObjectError) -> Box<RusticError> {
    RusticError::with_source(ErrorKind::Backend, error.to_string(), error)
}

impl ReadBackend for Backend {
    fn location(&self) -> String {
        "repository".to_owned()
    }

    fn list_with_size(&self, tpe: FileType) -> RusticResult<Vec<(Id, u32)>> {
        let objects = self.0.list(kind(tpe)).map_err(failed)?;
        let row = |object: crate::object::Object| {
            Some((object.name.as_str().parse().ok()?, u32::try_from(object.size).ok()?))
        };
        Ok(objects.into_iter().filter_map(row).collect())
    }

    fn read_full(&self, tpe: FileType, id: &Id) -> RusticResult<Bytes> {
        self.0.read(kind(tpe), &name(id)?).map_err(failed)
    }

    fn read_partial(
        &self,
        tpe: FileType,
        id: &Id,
        _cacheable: bool,
        offset: u32,
        length: u32,
    ) -> RusticResult<Bytes> {
        self.0.read_range(kind(tpe), &name(id)?, offset.into(), length.into()).map_err(failed)
    }

    fn warmup_path(&self, tpe: FileType, id: &Id) -> String {
        format!("{}/{}", kind(tpe), id.to_hex().as_str())
    }
}

impl WriteBackend for Backend {
    fn write_bytes(&self, tpe: FileType, id: &Id, _cacheable: bool, content: BytesList) -> RusticResult<()> {
        self.0.write(kind(tpe), &name(id)?, content.slice()).map_err(failed)
    }

    fn remove(&self, tpe: FileType, id: &Id, _cacheable: bool) -> RusticResult<()> {
        self.0.remove(kind(tpe), &name(id)?).map_err(failed)
    }
}
