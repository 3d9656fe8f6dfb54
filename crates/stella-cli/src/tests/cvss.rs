use super::given;

const LOG4SHELL: &str = "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:C/C:H/I:H/A:H";

#[tokio::test]
async fn vectors_as_arguments() {
    let ran = given("")
        .run(&format!("cvss {LOG4SHELL} AV:N/AC:L/Au:N/C:N/I:N/A:C"))
        .await;
    assert_eq!((ran.exit, ran.stderr.as_str()), (0, ""));
    assert_eq!(
        ran.stdout,
        format!("{LOG4SHELL}\t10.0\tCritical\nAV:N/AC:L/Au:N/C:N/I:N/A:C\t7.8\tHigh\n")
    );
}

#[tokio::test]
async fn bad_vectors_are_told_and_the_run_goes_on() {
    let input = format!(
        "{LOG4SHELL}\r\nnonsense\twith\u{1b}[2J tab\n\nCVSS:3.1/AV:n/AC:L/PR:N/UI:N/S:C/C:H/I:H/A:H\n{LOG4SHELL}/E:U\n"
    );
    let ran = given(input).run("cvss").await;
    assert_eq!(ran.exit, 2);
    insta::assert_snapshot!(ran.stdout);
    assert_eq!(
        ran.stderr,
        "error[CVSS_INVALID]: 3 of 5 vectors could not be scored\n"
    );
}

#[tokio::test]
async fn a_line_of_any_length_takes_bounded_memory() {
    let input = format!("{}\n{LOG4SHELL}\n", "A".repeat(1_000_000));
    let ran = given(input).run("cvss").await;
    assert_eq!(ran.exit, 2);
    let lines: Vec<&str> = ran.stdout.lines().collect();
    assert_eq!(lines.len(), 2);
    assert!(lines[0].len() < 5000 && lines[0].ends_with("\terror:CVSS_TOO_LONG"));
    assert_eq!(lines[1], format!("{LOG4SHELL}\t10.0\tCritical"));
}

#[tokio::test]
async fn nothing_in_nothing_out() {
    let ran = given("").run("cvss -o json").await;
    assert_eq!(
        (ran.exit, ran.stdout.as_str(), ran.stderr.as_str()),
        (0, "", "")
    );
}

#[tokio::test]
async fn bytes_that_are_no_text() {
    let ran = given(&b"\xff\xfe\n"[..]).run("cvss").await;
    assert_eq!(ran.exit, 2);
    assert!(ran.stdout.contains("\terror:CVSS_"), "{}", ran.stdout);
}
