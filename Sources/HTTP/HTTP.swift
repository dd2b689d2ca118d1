import CNGHTTP2
import NIOCore
import NIOPosix
import NIOSSL
