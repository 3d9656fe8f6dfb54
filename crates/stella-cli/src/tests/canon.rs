use super::given;

#[tokio::test]
async fn one_value_without_a_line_break() {
    let ran = given("{\"b\": 56.0,\n \"a\": [1e3, \"\\u20ac\"]}\n")
        .run("canon")
        .await;
    assert_eq!(
        (ran.exit, ran.stdout.as_str(), ran.stderr.as_str()),
        (0, "{\"a\":[1000,\"€\"],\"b\":56}", "")
    );
}

#[tokio::test]
async fn one_format_on_a_terminal_and_with_every_option() {
    let ran = given("[ 1 ]").terminal(80).run("canon -o yaml").await;
    assert_eq!((ran.exit, ran.stdout.as_str()), (0, "[1]"));
}

#[tokio::test]
async fn bad_input_prints_its_place_and_nothing_else() {
    let ran = given("{\n  \"a\": {\"b\": [1, 2, 1e999]}\n}")
        .run("canon -o json")
        .await;
    assert_eq!((ran.exit, ran.stdout.as_str()), (2, ""));
    let told: serde_json::Value = serde_json::from_str(&ran.stderr).unwrap();
    assert_eq!(told["line"], 2);
    assert_eq!(told["pointer"], "/a/b/2");
    assert_eq!(told["exit"], 2);
    assert!(told["column"].as_u64().unwrap() > 1);
}

#[tokio::test]
async fn every_kind_of_bad_input_is_refused() {
    let deep = "[".repeat(100_000);
    let cases: [&[u8]; 7] = [
        b"",
        b"{\"a\":1,\"a\":2}",
        b"[1",
        b"[\xff]",
        b"9007199254740993",
        b"1 2",
        deep.as_bytes(),
    ];
    for input in cases {
        let ran = given(input).run("canon").await;
        assert_eq!(
            (ran.exit, ran.stdout.as_str()),
            (2, ""),
            "{}",
            String::from_utf8_lossy(&input[..input.len().min(20)])
        );
        assert!(ran.stderr.starts_with("error["), "{}", ran.stderr);
        assert!(ran.stderr.contains("at line 1, column "), "{}", ran.stderr);
    }
}

#[tokio::test]
async fn hostile_keys_do_not_reach_the_terminal() {
    let ran = given("{\"\\u001b[2J\": 1e999}").run("canon").await;
    assert!(!ran.stderr.contains('\u{1b}'), "{:?}", ran.stderr);
}

#[tokio::test]
async fn lines_in_lines_out() {
    let ran = given("{\"b\":1,\"a\":2}\r\n 1.50 \n\"x\"")
        .run("canon --lines")
        .await;
    assert_eq!(
        (ran.exit, ran.stdout.as_str()),
        (0, "{\"a\":2,\"b\":1}\n1.5\n\"x\"\n")
    );
    let ran = given("").run("canon --lines").await;
    assert_eq!((ran.exit, ran.stdout.as_str()), (0, ""));
}

#[tokio::test]
async fn the_first_bad_line_ends_it_with_its_number() {
    let ran = given("1\n2\n[1,]\n4\n").run("canon --lines -o json").await;
    assert_eq!((ran.exit, ran.stdout.as_str()), (2, "1\n2\n"));
    let told: serde_json::Value = serde_json::from_str(&ran.stderr).unwrap();
    assert_eq!((&told["line"], &told["column"]), (&3.into(), &4.into()));
}

#[tokio::test]
async fn values_above_the_limit_are_refused() {
    for line in ["canon --max-bytes 5", "canon --lines --max-bytes 5"] {
        let ran = given("[1,2]").run(line).await;
        assert_eq!(
            (ran.exit, ran.stdout.trim_end()),
            (0, "[1,2]"),
            "{}",
            ran.stderr
        );
        let ran = given("[1,23]").run(line).await;
        assert_eq!((ran.exit, ran.stdout.as_str()), (2, ""));
        assert!(
            ran.stderr.starts_with("error[INPUT_TOO_LARGE]"),
            "{}",
            ran.stderr
        );
    }
}

#[tokio::test]
async fn a_file_is_written_whole_or_not_at_all() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("out.json");
    let line = format!("canon --out {}", file.display());
    let ran = given("[1,").run(&line).await;
    assert_eq!((ran.exit, file.exists()), (2, false));
    let ran = given("[1, 2]").run(&line).await;
    assert_eq!((ran.exit, ran.stdout.as_str()), (0, ""));
    assert_eq!(std::fs::read(&file).unwrap(), b"[1,2]");
}
