internal import Glibc
internal import StrakeFlags
internal import StrakeJWT

/// What `--auth-token` says: a kind of token with its options, as etcd has them.
enum TokenSetting {
    private static let flag = "auth: invalid auth options: --auth-token"
    private static let optionNames = ["sign-method", "pub-key", "priv-key", "ttl"]
    /// etcd's, in milliseconds.
    private static let lifetimeDefault: Int64 = 300_000

    /// - Returns: Nil for `simple`.
    static func jwt(_ text: String) throws(SettingsError) -> JWT? {
        let parts = text.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
        guard parts[0] == "jwt" else {
            guard text == "simple" else {
                throw SettingsError("\(flag) must be 'simple' or 'jwt,' with options, not '\(text)'")
            }
            return nil
        }
        let options = try options(parts.dropFirst())
        let method = options["sign-method"] ?? ""
        guard let algorithm = JWTAlgorithm(rawValue: method) else {
            let names = JWTAlgorithm.allCases.map(\.rawValue).joined(separator: ", ")
            throw SettingsError("\(flag): sign-method must be one of \(names), not '\(method)'")
        }
        let (publicKey, privateKey) = (try file(options["pub-key"]), try file(options["priv-key"]))
        let lifetime = try lifetime(options["ttl"])
        do throws(JWTError) {
            return try JWT(algorithm, publicKey: publicKey, privateKey: privateKey, lifetime: lifetime)
        } catch {
            throw SettingsError("\(flag): \(error.description)")
        }
    }

    private static func options(_ parts: ArraySlice<String>) throws(SettingsError) -> [String: String] {
        var options: [String: String] = [:]
        for part in parts {
            let pair = part.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
            guard pair.count == 2, optionNames.contains(pair[0]) else {
                throw SettingsError("\(flag): '\(part)' is none of \(optionNames.joined(separator: "=, "))=")
            }
            guard options.updateValue(pair[1], forKey: pair[0]) == nil else {
                throw SettingsError("\(flag): \(pair[0]) is given twice")
            }
        }
        return options
    }

    private static func file(_ path: String?) throws(SettingsError) -> [UInt8]? {
        guard let path, !path.isEmpty else { return nil }
        guard let bytes = WholeFile.bytes(of: path) else {
            throw SettingsError("\(flag): cannot read \(path): \(String(cString: strerror(errno)))")
        }
        return bytes
    }

    /// In seconds.
    private static func lifetime(_ text: String?) throws(SettingsError) -> Int {
        guard let text, !text.isEmpty else { return Int(lifetimeDefault / 1_000) }
        guard let milliseconds = GoDuration.milliseconds(text), milliseconds >= 1_000 else {
            throw SettingsError("\(flag): ttl must be a duration of at least a second, such as 10m, not '\(text)'")
        }
        return Int(milliseconds / 1_000)
    }
}
