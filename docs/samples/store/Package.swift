// swift-tools-version: 6.2
import PackageDescription

// A service that embeds a store. Outside of this checkout the first dependency would have a URL.
let package = Package(
    name: "job-queue",
    dependencies: [
        .package(name: "strake", path: "../../.."),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle.git", from: "2.13.0"),
    ],
    targets: [
        .executableTarget(
            name: "job-queue",
            dependencies: [
                .product(name: "StrakeStore", package: "strake"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
            ],
            path: "Sources/JobQueue")
    ],
    swiftLanguageModes: [.v6]
)
