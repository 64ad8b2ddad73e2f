//! The one table of permissions. Doors do not decide anything; app functions ask here.

use std::fmt::Write as _;

/// How somebody stands to something, from nothing to everything: each has what those before it have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Standing {
    /// Nobody has signed in.
    Anonymous,
    /// Signed in, with no relation to it: a member of another group.
    SignedIn,
    /// A member of its group; of a system image, a member of a group that may use it; of an account, its owner.
    Member,
    /// An admin of its group. There is none of a system image, a secret or an account.
    GroupAdmin,
    /// An admin of the hub.
    Admin,
}

impl Standing {
    /// All of them, in their order.
    pub const ALL: [Self; 5] = [Self::Anonymous, Self::SignedIn, Self::Member, Self::GroupAdmin, Self::Admin];

    /// In words.
    pub fn title(self) -> &'static str {
        match self {
            Self::Anonymous => "anonymous",
            Self::SignedIn => "signed in",
            Self::Member => "member",
            Self::GroupAdmin => "group admin",
            Self::Admin => "admin",
        }
    }
}

macro_rules! operations {
    ($($(#[doc = $about:literal])+ $operation:ident needs $standing:ident by [$($door:literal),* $(,)?];)+) => {
        /// Everything that can be done.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Operation {
            $($(#[doc = $about])+ $operation,)+
        }

        /// A row of the table.
        #[derive(Debug)]
        pub struct Row {
            /// What is done.
            pub operation: Operation,
            /// Its name.
            pub name: &'static str,
            /// What it is, in words.
            pub about: &'static str,
            /// The lowest standing that may do it.
            pub needs: Standing,
            /// The fields of GraphQL (`Query.image`) and the routes of HTTP (`GET /healthz`) that do it.
            pub doors: &'static [&'static str],
        }

        /// Who may do what: the lowest standing for each operation.
        pub const TABLE: &[Row] = &[
            $(Row {
                operation: Operation::$operation,
                name: stringify!($operation),
                about: concat!($($about),+),
                needs: Standing::$standing,
                doors: &[$($door),*],
            },)+
        ];

        impl Operation {
            /// The lowest standing that may do it.
            pub fn needs(self) -> Standing {
                match self {
                    $(Self::$operation => Standing::$standing,)+
                }
            }
        }
    };
}

operations! {
    /// See that the hub is alive, and its figures
    SeeHealth needs Anonymous by ["GET /healthz", "GET /readyz", "GET /metrics"];
    /// Speak to the API at all: what its fields do stands below
    UseApi needs Anonymous by ["POST /api/graphql"];
    /// Sign in with a password, and get a code for the client
    SignIn needs Anonymous by [
        "Mutation.signIn", "GET /oidc/auth-flow/request", "GET /oidc/auth-flow/code", "POST /oidc/auth-flow/exchange",
    ];
    /// See one's own account and groups
    ReadMe needs SignedIn by ["Query.me", "Query.system"];
    /// Make, list and revoke one's own tokens, and change one's own password
    ManageOwnAccount needs Member by [
        "Query.tokens", "Mutation.createToken", "Mutation.revokeToken", "Mutation.changePassword",
        "Mutation.createAuthorizationCode",
    ];

    /// See which images there are: those that one's groups may use
    ListImages needs SignedIn by ["Query.images", "Query.imagesConnection"];
    /// See an image
    ReadImage needs Member by ["Query.image"];
    /// See what an image was built from, its builds, logs, packages and differences
    ReadImageBuilds needs GroupAdmin by [
        "Query.imageRevisions", "Query.imageRevision", "Query.imageDiff",
        "GET /api/logs/images/{id}/job", "GET /api/logs/builds/{id}",
    ];
    /// List a group's own images to manage them
    ListGroupImages needs GroupAdmin by ["Query.groupImagesConnection", "Query.groupImages"];
    /// Choose an image for a notebook of a group
    SelectImage needs Member by ["Query.selection", "GET /api/groups/{group}/selection"];
    /// Add an image to a group
    CreateGroupImage needs GroupAdmin by ["Mutation.createImage"];
    /// Add a system image
    CreateSystemImage needs Admin by [];
    /// Change an image
    UpdateImage needs GroupAdmin by ["Mutation.updateImage"];
    /// Offer an image to other groups, or to all
    ShareImage needs Admin by [];
    /// Delete an image
    DeleteImage needs GroupAdmin by ["Mutation.deleteImage"];
    /// Build an image, again or from something else, end its build, and go back to an earlier one
    BuildImage needs GroupAdmin by [
        "Mutation.rebuildImage", "Mutation.cancelImageBuild", "Mutation.rollbackImage", "Query.checkImageSpec",
    ];

    /// See a group, who is in it, and its images
    ReadGroup needs Member by ["Query.group"];
    /// See all groups
    ListGroups needs Admin by ["Query.groups", "Query.groupsConnection"];
    /// Put people into a group and take them out, make them its admins
    ManageMembers needs GroupAdmin by ["Mutation.updateGroup"];
    /// Make, change and delete groups
    ManageGroups needs Admin by ["Mutation.createGroup", "Mutation.deleteGroup"];

    /// Find a user by identifier, to put them into one's group
    FindUser needs GroupAdmin by ["Query.user"];
    /// See all users
    ListUsers needs Admin by ["Query.users", "Query.usersConnection"];
    /// Make, change, disable and delete users, reset their passwords
    ManageUsers needs Admin by [
        "Mutation.createUser", "Mutation.updateUser", "Mutation.deleteUser", "Mutation.resetPassword",
    ];

    /// See which secrets are offered to one's group, and use one
    UseSecret needs GroupAdmin by ["Query.secrets"];
    /// See all secrets, never what is in them
    ListSecrets needs Admin by ["Query.secret", "Query.secretsConnection"];
    /// Make, change and delete secrets
    ManageSecrets needs Admin by ["Mutation.createSecret", "Mutation.updateSecret", "Mutation.deleteSecret"];

    /// See custom image specs, their builds and logs
    ReadSpecs needs Admin by [
        "Query.buildImage", "Query.buildImages", "Query.buildImagesConnection", "Query.buildImageJob",
        "Query.buildImageJobs", "Query.buildImageJobsConnection", "GET /api/logs/namespaces/{namespace}/jobs/{id}",
    ];
    /// Make, change, build and delete custom image specs
    ManageSpecs needs Admin by [
        "Mutation.createBuildImage", "Mutation.updateBuildImage", "Mutation.deleteBuildImage",
        "Mutation.rebuildBuildImage", "Mutation.cancelBuildImageJob",
    ];

    /// See all builds that wait and run
    ReadQueue needs Admin by ["Query.queue"];
    /// Read the audit
    ReadAudit needs Admin by ["Query.audit"];
    /// See what the clean-up would remove
    ReadCleanUp needs Admin by ["Query.cleanUp"];
}

/// The table as Markdown: `ARCHITECTURE.md` has it, and a test compares.
pub fn markdown() -> String {
    let mut text = String::from("| operation |");
    for standing in Standing::ALL {
        let _ = write!(text, " {} |", standing.title());
    }
    text.push_str("\n| --- |");
    text.push_str(&" :-: |".repeat(Standing::ALL.len()));
    for row in TABLE {
        let _ = write!(text, "\n| {} |", row.about.trim());
        for standing in Standing::ALL {
            text.push_str(if standing >= row.needs { " ✓ |" } else { "  |" });
        }
    }
    text.push('\n');
    text
}
