//! Where output goes: standard output, or the file of `--out`.

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

use crate::failure::Failure;

/// An open destination. A file appears under its name only when it is complete.
pub struct Destination<'a> {
    target: Target<'a>,
    path: Option<&'a Path>,
}

enum Target<'a> {
    Stdout(&'a mut (dyn Write + Send)),
    /// A pipe or a device, which cannot be replaced by renaming.
    Device(BufWriter<File>),
    File(BufWriter<NamedTempFile>, PathBuf),
}

impl<'a> Destination<'a> {
    /// Opens the file where one is named, else takes standard output.
    ///
    /// # Errors
    /// `OUTPUT_NOT_WRITTEN` where the file's folder cannot be written to.
    pub fn open(
        stdout: &'a mut (dyn Write + Send),
        path: Option<&'a Path>,
    ) -> Result<Self, Failure> {
        let target = match path {
            None => Ok(Target::Stdout(stdout)),
            Some(path) => Target::open(path),
        };
        let target = target.map_err(|error| Failure::write(&error, path))?;
        Ok(Self { target, path })
    }

    /// Writes all of it.
    ///
    /// # Errors
    /// `OUTPUT_NOT_WRITTEN`.
    pub fn put(&mut self, bytes: &[u8]) -> Result<(), Failure> {
        let path = self.path;
        self.target
            .writer()
            .write_all(bytes)
            .map_err(|error| Failure::write(&error, path))
    }

    /// Hands on what is buffered, for a reader that waits for it.
    ///
    /// # Errors
    /// `OUTPUT_NOT_WRITTEN`.
    pub fn flush(&mut self) -> Result<(), Failure> {
        let path = self.path;
        self.target
            .writer()
            .flush()
            .map_err(|error| Failure::write(&error, path))
    }

    /// Completes the output. Without this call a file does not appear.
    ///
    /// # Errors
    /// `OUTPUT_NOT_WRITTEN`.
    pub fn finish(mut self) -> Result<(), Failure> {
        self.flush()?;
        let path = self.path;
        match self.target {
            Target::File(file, place) => {
                persist(file, &place).map_err(|error| Failure::write(&error, path))
            }
            Target::Stdout(_) | Target::Device(_) => Ok(()),
        }
    }
}

impl Write for Destination<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.target.writer().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.target.writer().flush()
    }
}

impl Target<'_> {
    fn open(path: &Path) -> io::Result<Self> {
        match fs::metadata(path) {
            Ok(there) if !there.is_file() => {
                return Ok(Self::Device(BufWriter::new(
                    File::options().write(true).open(path)?,
                )));
            }
            _ => {}
        }
        // A link keeps being one: what it points to is replaced.
        let place = fs::canonicalize(path).unwrap_or_else(|_| path.to_path_buf());
        let folder = place
            .parent()
            .filter(|folder| !folder.as_os_str().is_empty())
            .unwrap_or(Path::new("."));
        let mut builder = tempfile::Builder::new();
        readable_by_umask(&mut builder);
        let file = builder.prefix(".stella-").tempfile_in(folder)?;
        Ok(Self::File(BufWriter::new(file), place))
    }

    fn writer(&mut self) -> &mut dyn Write {
        match self {
            Self::Stdout(stdout) => *stdout,
            Self::Device(device) => device,
            Self::File(file, _) => file,
        }
    }
}

fn persist(file: BufWriter<NamedTempFile>, place: &Path) -> io::Result<()> {
    let file = file.into_inner().map_err(io::IntoInnerError::into_error)?;
    file.persist(place).map(|_| ()).map_err(|error| error.error)
}

/// Temporary files are private by default; what people asked for is as any file they create.
#[cfg(unix)]
fn readable_by_umask(builder: &mut tempfile::Builder<'_, '_>) {
    use std::os::unix::fs::PermissionsExt as _;
    builder.permissions(fs::Permissions::from_mode(0o666));
}

#[cfg(not(unix))]
fn readable_by_umask(_: &mut tempfile::Builder<'_, '_>) {}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_file_appears_only_when_complete() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("out.json");
        let mut stdout = Vec::new();
        let mut given_up = Destination::open(&mut stdout, Some(&path)).unwrap();
        given_up.put(b"half").unwrap();
        drop(given_up);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);

        let mut complete = Destination::open(&mut stdout, Some(&path)).unwrap();
        complete.put(b"whole").unwrap();
        complete.finish().unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"whole");
        assert!(stdout.is_empty());
    }

    #[test]
    fn a_folder_that_is_not_there_is_told() {
        let mut stdout = Vec::new();
        let failure = Destination::open(&mut stdout, Some(Path::new("/nowhere/at/all")))
            .err()
            .unwrap();
        assert_eq!(failure.code, "OUTPUT_NOT_WRITTEN");
        assert!(
            failure.message.contains("/nowhere/at/all"),
            "{}",
            failure.message
        );
    }
}
