use super::*;

/// Answers like a hostile name server: whatever the name says.
struct Names;

#[async_trait]
impl Resolver for Names {
    async fn resolve(&self, name: &str) -> io::Result<Vec<IpAddr>> {
        let addresses: &[&str] = match name {
            "registry.example" => &["93.184.216.34", "2606:2800::1"],
            "intranet.example" => &["10.1.2.3"],
            "rebinding.example" => &["93.184.216.34", "127.0.0.1"],
            "metadata.example" => &["169.254.169.254"],
            "mapped.example" => &["::ffff:127.0.0.1"],
            "empty.example" => &[],
            "localhost" | "a.localhost" => &["93.184.216.34"],
            _ => return Err(io::Error::new(io::ErrorKind::NotFound, "unknown name")),
        };
        Ok(addresses.iter().map(|address| address.parse().unwrap()).collect())
    }
}

fn rule(reachable: &[&str]) -> AddressRule {
    AddressRule::new(reachable.iter().map(|text| text.parse().unwrap()).collect())
}

async fn may_reach(rule: &AddressRule, authority: &str) -> bool {
    match rule.check(authority, &Names).await {
        Ok(addresses) => !addresses.is_empty(),
        Err(AddressProblem::Refused { .. }) => false,
        Err(other) => panic!("{authority}: {other}"),
    }
}

#[tokio::test]
async fn the_world_and_private_networks_are_reached() {
    for host in ["registry.example", "registry.example:5000", "REGISTRY.example.", "intranet.example"] {
        assert!(may_reach(&rule(&[]), host).await, "{host}");
    }
    for host in ["10.0.0.1", "192.168.0.1:5000", "172.16.0.1", "[fd12::1]:5000", "8.8.8.8"] {
        assert!(may_reach(&rule(&[]), host).await, "{host}");
    }
}

#[tokio::test]
async fn this_machine_and_metadata_are_not_in_any_notation() {
    let hosts = [
        "127.0.0.1",
        "127.0.0.1:5000",
        "127.1",
        "2130706433",
        "0x7f.1",
        "0x7f000001",
        "017700000001",
        "localhost",
        "LOCALHOST:5000",
        "localhost.",
        "a.localhost",
        "0.0.0.0",
        "0.1.2.3",
        "[::]",
        "[::1]:80",
        "[::ffff:127.0.0.1]",
        "[::ffff:7f00:1]",
        "[::127.0.0.1]",
        "[64:ff9b::127.0.0.1]",
        "[64:ff9b::a9fe:a9fe]",
        "[2002:7f00:1::]",
        "169.254.169.254",
        "2852039166",
        "[fe80::1]",
        "[febf::1]",
        "[fd00:ec2::254]",
        "168.63.129.16",
        "100.100.100.200",
        "224.0.0.1",
        "[ff02::1]",
        "255.255.255.255",
        "metadata.example",
        "mapped.example",
        "rebinding.example",
        "１２７.0.0.1",
    ];
    for host in hosts {
        assert!(!may_reach(&rule(&[]), host).await, "{host}");
    }
}

#[tokio::test]
async fn what_is_listed_is_reached_and_nothing_beside_it() {
    let listed =
        rule(&["127.0.0.1:5000", "localhost:5001", "169.254.0.0/24", "metadata.example", "[::1]:5000"]);
    for host in ["127.0.0.1:5000", "[::ffff:127.0.0.1]:5000", "[::1]:5000", "localhost:5001", "169.254.0.9"] {
        assert!(may_reach(&listed, host).await, "{host}");
    }
    assert!(may_reach(&listed, "metadata.example").await);
    for host in ["127.0.0.1", "127.0.0.1:5001", "127.0.0.2:5000", "169.254.169.254", "mapped.example"] {
        assert!(!may_reach(&listed, host).await, "{host}");
    }
    let own = rule(&[]).with_own_registry("127.0.0.1:40000".parse().unwrap());
    assert!(may_reach(&own, "127.0.0.1:40000").await);
    assert!(may_reach(&own, "localhost:40000").await);
    assert!(!may_reach(&own, "127.0.0.1:40001").await);
}

#[tokio::test]
async fn web_addresses_are_looked_at_with_the_port_of_their_scheme() {
    let listed = rule(&["127.0.0.1:443"]);
    let check = async |text: &str| listed.check_url(&text.parse().unwrap(), &Names).await;
    check("https://127.0.0.1/x").await.unwrap();
    check("http://127.0.0.1/x").await.unwrap_err();
    check("https://me:pw@0x7f.1:8443/x").await.unwrap_err();
    assert!(matches!(check("data:text/plain,x").await, Err(AddressProblem::NoHost { .. })));
}

#[tokio::test]
async fn what_is_no_host_is_said_so() {
    for text in ["", ":5000", "a b", "registry.example/x", "me@registry.example", " registry.example", "[::1"]
    {
        let problem = rule(&[]).check(text, &Names).await.unwrap_err();
        assert!(matches!(problem, AddressProblem::NoHost { .. }), "{text}: {problem}");
    }
    for name in ["unknown.example", "empty.example"] {
        let problem = rule(&[]).check(name, &Names).await.unwrap_err();
        assert!(matches!(problem, AddressProblem::NotResolved { .. }), "{problem}");
    }
}

#[test]
fn entries_of_the_list_are_read_and_shown() {
    for text in
        ["10.0.0.0/8", "127.0.0.1:5000", "[::1]:5000", "host.example", "host.example:443", "fe80::/10"]
    {
        assert_eq!(text.parse::<Reachable>().unwrap().to_string(), text);
    }
    assert_eq!("127.0.0.1".parse::<Reachable>().unwrap().to_string(), "127.0.0.1/32");
    for text in ["", "https://x", "*.example", "10.0.0.0/99", "host:port", "a b"] {
        text.parse::<Reachable>().unwrap_err();
    }
}
