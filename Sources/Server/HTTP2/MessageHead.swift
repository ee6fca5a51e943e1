/// The fields of a header block, readable during the callback that brings it: they lie in the decoder's memory.
struct HeaderView {
    fileprivate let fields: UnsafePointer<HeaderEntry>
    fileprivate let count: Int
    private let arena: UnsafeRawPointer
    private let statics: UnsafeRawPointer

    init(fields: UnsafePointer<HeaderEntry>, count: Int, arena: UnsafeRawPointer, statics: UnsafeRawPointer) {
        self.fields = fields
        self.count = count
        self.arena = arena
        self.statics = statics
    }

    private func view(_ offset: UInt32, _ count: UInt32) -> ByteView {
        let base = offset & HeaderEntry.staticBit != 0 ? statics : arena
        return ByteView(base: base + Int(offset & ~HeaderEntry.staticBit), count: Int(count))
    }

    func value(of name: StaticString) -> UnsafeRawBufferPointer? {
        for index in 0..<count where Int(fields[index].nameCount) == name.utf8CodeUnitCount {
            if view(fields[index].nameOffset, fields[index].nameCount).equals(name) { return value(at: index).buffer }
        }
        return nil
    }

    func value(of name: HeaderName) -> UnsafeRawBufferPointer {
        for index in 0..<count where fields[index].name == name { return value(at: index).buffer }
        return UnsafeRawBufferPointer(start: nil, count: 0)
    }

    func visit(_ body: (UnsafeRawBufferPointer, UnsafeRawBufferPointer) -> Void) {
        for index in 0..<count {
            body(view(fields[index].nameOffset, fields[index].nameCount).buffer, value(at: index).buffer)
        }
    }

    private func value(at index: Int) -> ByteView { view(fields[index].valueOffset, fields[index].valueCount) }
}

/// A request's header block. Valid during `callOpened` or `requestOpened` only: copy what you keep.
package struct RequestHead {
    /// The method's number in the `MethodTable`; -1 for an ordinary HTTP request.
    package let method: Int
    /// grpc-timeout; `UInt64.max` if there is none.
    package let timeoutNanoseconds: UInt64
    /// END_STREAM came with the headers: no message or body follows.
    package let isEnd: Bool
    private let headers: HeaderView

    init(method: Int, timeoutNanoseconds: UInt64, isEnd: Bool, headers: HeaderView) {
        self.method = method
        self.timeoutNanoseconds = timeoutNanoseconds
        self.isEnd = isEnd
        self.headers = headers
    }

    // Empty if absent.
    package var path: UnsafeRawBufferPointer { headers.value(of: .path) }
    package var httpMethod: UnsafeRawBufferPointer { headers.value(of: .method) }
    package var authority: UnsafeRawBufferPointer { headers.value(of: .authority) }
    package var contentType: UnsafeRawBufferPointer { headers.value(of: .contentType) }

    /// The first field of this (lower case) name.
    package func value(of name: StaticString) -> UnsafeRawBufferPointer? { headers.value(of: name) }

    package func string(of name: StaticString) -> String? {
        headers.value(of: name).map { String(decoding: $0, as: UTF8.self) }
    }

    /// All fields in order, pseudo-headers first.
    package func visit(_ body: (_ name: UnsafeRawBufferPointer, _ value: UnsafeRawBufferPointer) -> Void) {
        headers.visit(body)
    }
}

/// A response's headers or trailers. Valid during the callback only.
package struct ResponseHead {
    /// HTTP status; 0 in trailers and for calls that ended without any.
    package let status: Int
    private let headers: HeaderView

    init(status: Int, headers: HeaderView) {
        self.status = status
        self.headers = headers
    }

    /// grpc-message, decoded.
    package var grpcMessage: String { PercentEncoding.decode(headers.value(of: .grpcMessage)) }

    package func value(of name: StaticString) -> UnsafeRawBufferPointer? { headers.value(of: name) }

    package func string(of name: StaticString) -> String? {
        headers.value(of: name).map { String(decoding: $0, as: UTF8.self) }
    }

    package func visit(_ body: (_ name: UnsafeRawBufferPointer, _ value: UnsafeRawBufferPointer) -> Void) {
        headers.visit(body)
    }
}
