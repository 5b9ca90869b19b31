//! A home for an agent that starts out with none. What a user has is never
//! touched.

use std::fs::OpenOptions;
use std::io::{self, Write as _};
use std::path::Path;

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
}
