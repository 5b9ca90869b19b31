//! A home for an agent that starts out with none. What a user has is never
//! touched.

use std::fs::OpenOptions;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::io::{self, Write as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

/// Files of a new home.
const FILES: [(&str, &str); 2] = [
    (".profile", "# Read by login shells.\n[ -f ~/.bashrc ] && . ~/.bashrc\n"),
    (
        ".bashrc",
        r#"# Yours to change: it is saved with everything else in your home.
case $- in *i*) ;; *) return ;; esac
HISTSIZE=10000 HISTFILESIZE=20000 HISTCONTROL=ignoreboth
shopt -s histappend checkwinsize
# What was typed is kept even if the agent stops in a hurry.
PROMPT_COMMAND='history -a'
PS1='\[\e[38;5;179m\]\w\[\e[0m\] \$ '
alias ls='ls --color=auto' ll='ls -l' grep='grep --color=auto'
"#,
    ),
];

const GREETING: &str = "\x1b[38;5;179m☕ \x1b[0mTodo lo que guardes en esta carpeta seguirá aquí al despertar.\r\n   \
\x1b[2mWhatever you keep in this folder will be here when you wake it.\x1b[0m\r\n\r\n";

/// What the first terminal of a new agent says.
pub fn greeting() -> Vec<u8> {
    GREETING.as_bytes().to_vec()
}

/// Puts the files of a new home where there are none of their names.
pub fn furnish(home: &Path) -> io::Result<()> {
    for (name, content) in FILES {
        match OpenOptions::new().write(true).create_new(true).open(home.join(name)) {
            Ok(mut file) => file.write_all(content.as_bytes())?,
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// What a folder looks like from outside: it changes whenever anything in it does,
/// but for what leaves no trace in names, sizes and times.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Looks {
    hash: u64,
    /// The latest change of all, as the file system says: seconds and nanoseconds.
    latest: (i64, i64),
}

/// Looks at a whole folder; `None` if it changed while it was looked at, or a
/// part can't be seen. Tells as well how many bytes there are in files that
/// changed since it looked like `before`.
pub async fn look(folder: PathBuf, before: Option<Looks>) -> Option<(Looks, u64)> {
    let looked = tokio::task::spawn_blocking(move || {
        let mut look = Look {
            hasher: DefaultHasher::new(),
            latest: (i64::MIN, 0),
            before: before.map_or((i64::MIN, 0), |before| before.latest),
            changed: 0,
        };
        look.over(&folder)?;
        io::Result::Ok((Looks { hash: look.hasher.finish(), latest: look.latest }, look.changed))
    });
    looked.await.ok()?.ok()
}

struct Look {
    hasher: DefaultHasher,
    latest: (i64, i64),
    before: (i64, i64),
    changed: u64,
}

impl Look {
    fn over(&mut self, folder: &Path) -> io::Result<()> {
        let mut entries = std::fs::read_dir(folder)?.collect::<io::Result<Vec<_>>>()?;
        entries.sort_by_key(std::fs::DirEntry::file_name);
        for entry in entries {
            let about = entry.metadata()?;
            let (modified, changed) =
                ((about.mtime(), about.mtime_nsec()), (about.ctime(), about.ctime_nsec()));
            (entry.file_name(), about.ino(), about.size(), about.mode(), modified, changed)
                .hash(&mut self.hasher);
            self.latest = self.latest.max(changed);
            if about.is_file() && changed > self.before {
                self.changed += about.size();
            }
            if about.is_dir() {
                self.over(&entry.path())?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn a_users_files_stay_as_they_are() {
        let home = tempfile::tempdir().unwrap();
        fs::write(home.path().join(".bashrc"), "mine").unwrap();
        furnish(home.path()).unwrap();
        furnish(home.path()).unwrap();
        assert_eq!(fs::read_to_string(home.path().join(".bashrc")).unwrap(), "mine");
        assert!(home.path().join(".profile").exists());
    }

    #[tokio::test]
    async fn every_change_is_seen_and_reading_is_none() {
        let home = tempfile::tempdir().unwrap();
        let file = home.path().join("a/b/file");
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(&file, "one").unwrap();
        let see = async || look(home.path().to_owned(), None).await.unwrap().0;
        let first = see().await;
        let mut before = first;
        fs::read(&file).unwrap();
        assert_eq!(see().await, before);
        let permissions = std::os::unix::fs::PermissionsExt::from_mode(0o600);
        let changes: [(&str, &dyn Fn()); 4] = [
            ("content", &|| fs::write(&file, "two").unwrap()),
            ("mode", &|| fs::set_permissions(&file, std::fs::Permissions::clone(&permissions)).unwrap()),
            ("name", &|| fs::rename(&file, file.with_extension("old")).unwrap()),
            ("folder", &|| fs::create_dir(home.path().join("empty")).unwrap()),
        ];
        for (what, change) in changes {
            // Past one step of the file system's clock.
            tokio::time::sleep(std::time::Duration::from_millis(25)).await;
            change();
            let after = see().await;
            assert_ne!(after, before, "{what}");
            before = after;
        }
        assert_eq!(look(home.path().join("none"), None).await, None);
        // Of two files the one that stayed is not counted.
        fs::write(home.path().join("more"), [0; 700]).unwrap();
        let (_, changed) = look(home.path().to_owned(), Some(before)).await.unwrap();
        let (_, all) = look(home.path().to_owned(), Some(first)).await.unwrap();
        assert_eq!((changed, all), (700, 703));
    }
}
