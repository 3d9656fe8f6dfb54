//! `cargo xtask seeds`: what the tests replay, as files for a fuzzer to go on from.

use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result};
use stella_testdata::{corpus, targets};

/// Writes the inputs of every target to a folder of its name.
pub(crate) fn write(folder: &Path) -> Result<()> {
    for target in targets() {
        let folder = folder.join(target);
        fs::create_dir_all(&folder).with_context(|| format!("making {}", folder.display()))?;
        for (number, input) in corpus(target).iter().enumerate() {
            let path = folder.join(number.to_string());
            fs::write(&path, input).with_context(|| format!("writing {}", path.display()))?;
        }
    }
    Ok(())
}
