/// The grpc-timeout header: at most eight digits and a unit.
package enum TimeoutHeader {
    /// Rounded up: the server must not give up before the client does.
    package static func text(nanoseconds: Int64) -> String {
        let units: [(name: String, nanoseconds: Int64)] = [
            ("u", 1_000), ("m", 1_000_000), ("S", 1_000_000_000), ("M", 60_000_000_000), ("H", 3_600_000_000_000),
        ]
        for unit in units {
            let whole = nanoseconds / unit.nanoseconds
            let count = whole + (nanoseconds % unit.nanoseconds == 0 ? 0 : 1)
            if count <= 99_999_999 { return "\(max(count, 1))\(unit.name)" }
        }
        return "99999999H"
    }
}
