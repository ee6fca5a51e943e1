/// What a call says that its messages are in. Its answer says the same, as grpc-go's does.
enum CallContentType: UInt8 {
    /// "application/grpc", alone or with a parameter or a subtype that no other case has.
    case plain
    case proto

    var text: String {
        switch self {
        case .plain: "application/grpc"
        case .proto: "application/grpc+proto"
        }
    }
}
