//! The private keys of the contexts' clients: files in `$XDG_CONFIG_HOME/stella/keys/`.

use std::path::{Path, PathBuf};

use crate::contexts::check_name;
use crate::failure::Failure;
use crate::kind::{CONFIG_NOT_WRITTEN, KEY_FILE_OPEN_TO_OTHERS, KEY_FILE_UNREADABLE};
use crate::private_file;

/// Writes the key of a context, mode 0600; gives the file's absolute path.
///
/// # Errors
/// `CONTEXT_NAME_INVALID`; `CONFIG_NOT_WRITTEN`.
pub fn save(config_dir: &Path, context: &str, pem: &str) -> Result<PathBuf, Failure> {
    check_name(context)?;
    let path = config_dir.join("keys").join(format!("{context}.pem"));
    private_file::write(&path, pem.as_bytes()).map_err(|error| {
        Failure::of(
            &CONFIG_NOT_WRITTEN,
            &[
                ("path", &path.display().to_string()),
                ("reason", &error.to_string()),
            ],
        )
    })?;
    Ok(path)
}

/// Reads a key file.
///
/// # Errors
/// `KEY_FILE_UNREADABLE`; `KEY_FILE_OPEN_TO_OTHERS` where anybody but its owner may read it.
pub fn read(path: &Path) -> Result<String, Failure> {
    let shown = path.display().to_string();
    let unreadable = |reason: &str| {
        Failure::of(
            &KEY_FILE_UNREADABLE,
            &[("path", &shown), ("reason", reason)],
        )
    };
    let text = private_file::read(path).map_err(|error| unreadable(&error.to_string()))?;
    let text = text.ok_or_else(|| unreadable("no such file"))?;
    if private_file::open_to_others(path).map_err(|error| unreadable(&error.to_string()))? {
        return Err(Failure::of(&KEY_FILE_OPEN_TO_OTHERS, &[("path", &shown)]));
    }
    Ok(text)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_read_by_its_owner_only() {
        let folder = tempfile::tempdir().unwrap();
        let path = save(folder.path(), "local", "PEM").unwrap();
        assert_eq!(path, folder.path().join("keys/local.pem"));
        assert_eq!(read(&path).unwrap(), "PEM");
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
            assert_eq!((mode(&path), mode(path.parent().unwrap())), (0o600, 0o700));
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o640)).unwrap();
            assert_eq!(read(&path).unwrap_err().code, "KEY_FILE_OPEN_TO_OTHERS");
        }
    }

    #[test]
    fn a_key_that_is_not_there_and_a_name_that_is_a_path_are_told() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(
            read(&folder.path().join("x.pem")).unwrap_err().code,
            "KEY_FILE_UNREADABLE"
        );
        assert_eq!(
            save(folder.path(), "../x", "PEM").unwrap_err().code,
            "CONTEXT_NAME_INVALID"
        );
    }
}
