use clap::{Command, CommandFactory as _};

use super::{Arguments, given};

/// Every command's help: its words, its options and an example.
#[tokio::test]
async fn help_of_every_command() {
    let mut all = String::new();
    for path in paths(&Arguments::command(), "") {
        let ran = given("").run(&format!("{path} --help")).await;
        assert_eq!((ran.exit, ran.stderr.as_str()), (0, ""), "{path}");
        assert!(
            ran.stdout.contains("Examples:\n  "),
            "no example: stella {path}"
        );
        all += &format!("==== stella {path}\n{}\n", ran.stdout);
    }
    insta::assert_snapshot!(all);
}

#[test]
fn the_command_line_is_sound() {
    Arguments::command().debug_assert();
}

#[tokio::test]
async fn the_version_is_told() {
    let ran = given("").run("--version").await;
    assert_eq!(
        ran.stdout,
        format!("stella {}\n", env!("CARGO_PKG_VERSION"))
    );
}

fn paths(command: &Command, path: &str) -> Vec<String> {
    let mut all = vec![path.to_owned()];
    for verb in command.get_subcommands() {
        all.extend(paths(verb, format!("{path} {}", verb.get_name()).trim()));
    }
    all
}
