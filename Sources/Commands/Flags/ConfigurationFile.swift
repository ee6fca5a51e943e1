/// What a configuration file says: the part of YAML that etcd's configuration files are written in. Keys with scalars,
/// lists of scalars in both notations, and maps of these; quoted and plain scalars; comments. What else YAML has is
/// refused by its name, never misread.
///
/// A reader of its own: the known library for YAML imports all of Foundation, which an idle server would have in memory.
package struct ConfigurationFile {
    /// One value.
    package struct Entry: Equatable {
        /// The key, below the keys of the maps that it stands in.
        package var path: [String]
        package var value: Value
        package var line: Int

        package var key: String { path.joined(separator: ".") }
    }

    package enum Value: Equatable {
        case scalar(String)
        case list([String])
        /// Nothing, or the word null: as if the key were not there.
        case null
    }

    /// In the order of the file.
    package let entries: [Entry]

    package init(parsing text: String) throws(ConfigurationError) {
        var parser = ConfigurationParser(text)
        entries = try parser.entries()
    }
}

/// Where a configuration file cannot be read, or says what cannot be.
package struct ConfigurationError: Error, Equatable, CustomStringConvertible {
    package var line: Int
    /// Empty where there is none yet.
    package var key: String
    package var reason: String

    package var description: String { "line \(line): " + (key.isEmpty ? "" : key + ": ") + reason }
}
