use super::given;

#[tokio::test]
async fn a_wrong_word_is_told_to_people() {
    let ran = given("").run("canonn").await;
    assert_eq!((ran.exit, ran.stdout.as_str()), (2, ""));
    insta::assert_snapshot!(ran.stderr);
}

#[tokio::test]
async fn a_wrong_option_is_told_to_scripts() {
    let ran = given("").run("canon --wrong -o json").await;
    assert_eq!((ran.exit, ran.stdout.as_str()), (2, ""));
    insta::assert_snapshot!(ran.stderr);
}

#[tokio::test]
async fn a_limit_that_shows_nothing_is_refused_with_the_least() {
    let list = "a limit is a whole number, at least 1";
    for (line, least) in [
        ("findings list --limit 0", list),
        ("findings list --limit=-1", list),
        ("evidence list --limit 0", list),
        ("canon --max-bytes 0", "0 is not in 1..="),
    ] {
        let ran = given("").run(line).await;
        assert_eq!((ran.exit, ran.stdout.as_str()), (2, ""), "{line}");
        assert!(ran.stderr.contains(least), "{line}: {}", ran.stderr);
    }
}

#[tokio::test]
async fn no_word_at_all_prints_the_help() {
    let ran = given("").run("").await;
    assert_eq!((ran.exit, ran.stdout.as_str()), (2, ""));
    assert!(ran.stderr.contains("Usage: stella"), "{}", ran.stderr);
}

#[tokio::test]
async fn help_is_coloured_only_for_terminals_that_want_it() {
    assert!(
        given("")
            .terminal(80)
            .run("canon --help")
            .await
            .stdout
            .contains('\u{1b}')
    );
    assert!(
        !given("")
            .terminal(80)
            .run("canon --help --color never")
            .await
            .stdout
            .contains('\u{1b}')
    );
    assert!(
        !given("")
            .terminal(80)
            .environment([("NO_COLOR", "1")])
            .run("canon --help")
            .await
            .stdout
            .contains('\u{1b}')
    );
    assert!(
        !given("")
            .run("canon --help")
            .await
            .stdout
            .contains('\u{1b}')
    );
}

#[tokio::test]
async fn a_missing_word_is_told_to_scripts() {
    let ran = given("").run("-o json").await;
    assert_eq!((ran.exit, ran.stdout.as_str()), (2, ""));
    insta::assert_snapshot!(ran.stderr);
}

#[tokio::test]
async fn words_cannot_steer_the_terminal() {
    for line in ["\u{1b}[2J", "canon --\u{9b}2J", "-o \u{1b}]0;x\u{7}"] {
        let ran = given("").run(line).await;
        assert_eq!(ran.exit, 2);
        assert!(crate::plain::is_harmless(&ran.stderr), "{:?}", ran.stderr);
    }
}
