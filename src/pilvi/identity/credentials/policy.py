from pilvi.identity import checks
from pilvi.identity.checks import rule

SHOW = rule("get_credential", checks.owner_or_system_reader, "Show a credential.")
LIST = rule("list_credentials", checks.owner_or_system_reader, "List credentials.")
CREATE = rule("create_credential", checks.owner_or_admin, "Create a credential.")
UPDATE = rule("update_credential", checks.owner_or_admin, "Change a credential.")
DELETE = rule("delete_credential", checks.owner_or_admin, "Delete a credential.")
EC2_SHOW = rule("ec2_get_credential", checks.owner_or_system_reader, "Show an EC2 credential.")
EC2_LIST = rule("ec2_list_credentials", checks.owner_or_system_reader, "List a user's EC2 credentials.")
EC2_CREATE = rule("ec2_create_credential", checks.owner_or_admin, "Create an EC2 credential.")
EC2_DELETE = rule("ec2_delete_credential", checks.owner_or_admin, "Delete an EC2 credential.")
EC2_VALIDATE = rule("ec2tokens_validate", checks.service_or_admin, "Exchange an EC2 signature for a token.")
S3_VALIDATE = rule("s3tokens_validate", checks.service_or_admin, "Exchange an S3 signature for a token.")
