/// A line as it is shown.
package struct ScreenLine: Hashable, Sendable {
    package enum Style: Sendable {
        case plain
        case heading
        /// Something is wrong.
        case problem
    }

    package var text: String
    package var style: Style

    package init(_ text: String, _ style: Style = .plain) {
        self.text = text
        self.style = style
    }
}
